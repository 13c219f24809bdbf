"""The shape of every message of the channel: sizes in bytes, counts, words.

One row a message of grpc_api/protos/signer/channel/v1/ecdsa2p.proto, in its order. Points and
scalars are only measured here; the protocol's step that receives them checks what they are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from grpc_api.failure import MAX_CODE_CHARACTERS, MAX_MESSAGE_CHARACTERS, Failure
from signer_core.ports import Enrolled, EpochAcked
from signer_core.protocol.ecdsa2p import messages as m


@dataclass(frozen=True, slots=True)
class Octets:
    """A byte string of one of these lengths."""

    sizes: Collection[int]


@dataclass(frozen=True, slots=True)
class Text:
    """A character string of one of these lengths."""

    sizes: Collection[int]


@dataclass(frozen=True, slots=True)
class Word:
    """One of these character strings."""

    words: Collection[str]


@dataclass(frozen=True, slots=True)
class Number:
    """An integer below `limit`."""

    limit: int


@dataclass(frozen=True, slots=True)
class Record:
    """A message inside a message."""

    kind: type


@dataclass(frozen=True, slots=True)
class Many:
    """A list of one of these lengths."""

    member: "Octets | Record"
    counts: Collection[int]


Shape = Octets | Text | Word | Number | Record | Many

_ID = Octets((16,))
_32 = Octets((32,))  # scalar, digest, nonce, commitment, session id
_POINT = Octets((33,))  # SEC 1 compressed
_PROOF = Octets((65,))  # A, then z
_TOKEN = Octets(range(1, 4097))  # a compact JWS in ASCII
_XI = (416,)  # docs/spec/ecdsa2p.md §1
_BATCH = range(m.MAX_DIGESTS + 1)  # no digest in refresh and PIN change
_U32 = Number(1 << 32)

SHAPES: Mapping[type, Mapping[str, Shape]] = {
    m.EnrolRequest: {"key_id": _ID, "device_nonce": _32, "authorisation": _TOKEN},
    m.VaultCommitment: {"vault_nonce": _32, "commitment": _32},
    m.DevicePublicShare: {
        "public_share": _POINT,
        "public_share_proof": _PROOF,
        "transfer_key": _POINT,
        "transfer_key_proof": _PROOF,
    },
    m.TransferOffer: {
        "public_share": _POINT,
        "public_share_proof": _PROOF,
        "commitment_nonce": _32,
        "transfer_points": Many(_POINT, _XI),
    },
    m.CheckCorrections: {"corrections": Many(_32, _XI)},
    m.CheckCommitment: {"commitment": _32},
    m.CheckOpening: {"kappa": _32, "pads": Many(_32, _XI)},
    m.VaultOpening: {"check_point": _POINT, "commitment_nonce": _32, "epoch_seed": _32},
    m.EnrolConfirmation: {"digest": _32},
    m.Item: {"kind": Word(("cms", "pkcs10")), "data": Octets(range(1, 4097))},
    m.SignRequest: {
        "use": Word(m.USES),
        "key_id": _ID,
        "generation": _U32,
        "epoch": _U32,
        "request_id": Octets((0, 16)),
        "request_hash": Octets((0, 32)),
        "device_nonce": _32,
        "items": Many(Record(m.Item), _BATCH),
    },
    m.NonceCommitments: {"vault_nonce": _32, "commitments": Many(_32, _BATCH)},
    m.DeviceNonce: {"nonce_share": _POINT, "proof": _PROOF, "corrections": Many(_32, _XI)},
    m.DeviceNonces: {
        "pending": Many(_32, range(65)),  # newest 64, §5
        "epoch_tag": _32,
        "attestation": _TOKEN,
        "digests": Many(Record(m.DeviceNonce), _BATCH),
    },
    m.NonceOpening: {"nonce_share": _POINT, "proof": _PROOF, "commitment_nonce": _32},
    m.NonceOpenings: {"openings": Many(Record(m.NonceOpening), _BATCH)},
    m.PartialSignatures: {"sigmas": Many(_32, _BATCH), "pin_proof": _PROOF},
    m.Signature: {"r": _32, "s": _32},
    m.Signatures: {
        "signatures": Many(Record(m.Signature), _BATCH),
        "epoch_seed": _32,
        "wrong_tries": _U32,
    },
    m.EpochAck: {"tag": _32},
    m.RefreshDelta: {"delta": _32},
    m.TransferKey: {"transfer_key": _POINT, "transfer_key_proof": _PROOF},
    m.TransferPoints: {"transfer_points": Many(_POINT, _XI)},
    Failure: {
        "code": Text(range(1, MAX_CODE_CHARACTERS + 1)),
        "message": Text(range(MAX_MESSAGE_CHARACTERS + 1)),
        "attempts_left": _U32,
        "hold_until_s": Number(1 << 64),
    },
    Enrolled: {},
    EpochAcked: {},
}
