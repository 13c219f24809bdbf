"""The messages of `ecdsa2p`, in the order sent (docs/spec/ecdsa2p.md §2, §3, §8).

Every field is what the wire carried, nothing in it is trusted: the step that receives a message
checks sizes, points and ranges. Points are 33 bytes, scalars 32 bytes big-endian, nonces,
commitments and digests 32 bytes, proofs 65 bytes. Lists marked [416] have `XI` members.
Names are those of the wire (grpc_api/protos/signer/channel/v1/ecdsa2p.proto).
No message prints its fields: several of them would let a thief of the phone test PINs (§4).
"""

import dataclasses
from dataclasses import dataclass, field
from typing import cast

from signer_core.protocol.transcript import ascii_bytes, part, u32

MAX_DIGESTS = 64  # digests in one batch, §1
USES = ("sign", "refresh", "pin-change")

# --- §2, enrolment -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class EnrolRequest:
    """Row 1, device to vault."""

    key_id: bytes  # 16 bytes
    device_nonce: bytes  # 32 bytes
    authorisation: bytes  # opaque here: the caller verifies the registrar's signature


@dataclass(frozen=True, slots=True, repr=False)
class VaultCommitment:
    """Row 2, vault to device."""

    vault_nonce: bytes  # 32 bytes
    commitment: bytes  # 32 bytes, C1 = commit(X1, pi1)


@dataclass(frozen=True, slots=True, repr=False)
class DevicePublicShare:
    """Row 3, device to vault. X2 tests PINs: never store it on the phone."""

    public_share: bytes  # 33 bytes, X2 = x2·G
    public_share_proof: bytes  # 65 bytes, pi2
    transfer_key: bytes  # 33 bytes, S = y·G
    transfer_key_proof: bytes  # 65 bytes, piS


@dataclass(frozen=True, slots=True, repr=False)
class TransferOffer:
    """Row 4, vault to device: the opening of C1 and the hidden choices of all 416 transfers."""

    public_share: bytes  # 33 bytes, X1
    public_share_proof: bytes  # 65 bytes, pi1
    commitment_nonce: bytes  # 32 bytes
    transfer_points: tuple[bytes, ...]  # [416] of 33 bytes, R_i = a_i·G + b_i·S


@dataclass(frozen=True, slots=True, repr=False)
class CheckCorrections:
    """Row 5, device to vault."""

    corrections: tuple[bytes, ...]  # [416] of 32 bytes, c_i


@dataclass(frozen=True, slots=True, repr=False)
class CheckCommitment:
    """Row 6, vault to device."""

    commitment: bytes  # 32 bytes, CB = commit(B)


@dataclass(frozen=True, slots=True, repr=False)
class CheckOpening:
    """Row 7, device to vault."""

    kappa: bytes  # 32 bytes
    pads: tuple[bytes, ...]  # [416] of 32 bytes, t_i^0


@dataclass(frozen=True, slots=True, repr=False)
class VaultOpening:
    """Row 8, vault to device: the opening of CB, and the seed of epoch 0."""

    check_point: bytes  # 33 bytes, B = beta·G
    commitment_nonce: bytes  # 32 bytes
    epoch_seed: bytes  # 32 bytes


@dataclass(frozen=True, slots=True, repr=False)
class EnrolConfirmation:
    """Row 9, device to vault, after the device has stored its share durably."""

    digest: bytes  # 32 bytes, over every message before it and Q


# --- §3, signing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Item:
    """One thing to be signed; its digest h is SHA-256 of `data`."""

    kind: str  # ASCII: "cms" or "pkcs10", what the caller parses `data` as
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class SignRequest:
    """Step 1, device to vault."""

    use: str = field(metadata={"hashed": False})  # one of USES: the label of sid instead
    key_id: bytes  # 16 bytes
    generation: int  # below 2^32
    epoch: int  # below 2^32
    request_id: bytes  # 16 bytes; empty for refresh and pin-change
    request_hash: bytes  # 32 bytes; empty for refresh and pin-change
    device_nonce: bytes  # 32 bytes
    items: tuple[Item, ...]  # at most 64


@dataclass(frozen=True, slots=True, repr=False)
class NonceCommitments:
    """Step 2, vault to device."""

    vault_nonce: bytes  # 32 bytes
    commitments: tuple[bytes, ...]  # one a digest, 32 bytes, C_j = commit(R1_j, pi1_j)


@dataclass(frozen=True, slots=True, repr=False)
class DeviceNonce:
    """One digest's part of step 3."""

    nonce_share: bytes  # 33 bytes, R2_j = k2_j·G
    proof: bytes  # 65 bytes, pi2_j
    corrections: tuple[bytes, ...]  # [416] of 32 bytes, c_{j,i}


@dataclass(frozen=True, slots=True, repr=False)
class DeviceNonces:
    """Step 3, device to vault; the tag and the attestation are judged by the caller."""

    pending: tuple[bytes, ...]  # at most 64 sids of 32 bytes, §5
    epoch_tag: bytes  # 32 bytes, §5
    attestation: bytes  # opaque here: of the photo check, §6
    digests: tuple[DeviceNonce, ...]


@dataclass(frozen=True, slots=True, repr=False)
class NonceOpening:
    """One digest's part of step 4: the opening of C_j."""

    nonce_share: bytes  # 33 bytes, R1_j = k1_j·G
    proof: bytes  # 65 bytes, pi1_j
    commitment_nonce: bytes  # 32 bytes


@dataclass(frozen=True, slots=True, repr=False)
class NonceOpenings:
    """Step 4, vault to device."""

    openings: tuple[NonceOpening, ...]


@dataclass(frozen=True, slots=True, repr=False)
class PartialSignatures:
    """Step 5, device to vault. With a stolen phone either field tests PINs: never log it."""

    sigmas: tuple[bytes, ...]  # one a digest, 32 bytes
    pin_proof: bytes  # 65 bytes, piPIN


@dataclass(frozen=True, slots=True, repr=False)
class Signature:
    """One ECDSA signature; s is the low one of its pair."""

    r: bytes  # 32 bytes, 0 < r < q
    s: bytes  # 32 bytes, 0 < s <= q/2


@dataclass(frozen=True, slots=True, repr=False)
class Signatures:
    """Step 6, vault to device, after the vault has committed its judgement."""

    signatures: tuple[Signature, ...]
    epoch_seed: bytes  # 32 bytes
    wrong_tries: int = field(default=0, metadata={"hashed": False})  # since the last success, §4


@dataclass(frozen=True, slots=True, repr=False)
class EpochAck:
    """Step 7, device to vault, after the device has stored the new epoch durably."""

    tag: bytes  # 32 bytes


# --- §8, the transfer to new shares; then rows 5 to 9 of §2 ---------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class RefreshDelta:
    """Row 2 of a transfer, vault to device."""

    delta: bytes  # 32 bytes, x1 - x1'


@dataclass(frozen=True, slots=True, repr=False)
class TransferKey:
    """Row 3 of a transfer, device to vault."""

    transfer_key: bytes  # 33 bytes, S
    transfer_key_proof: bytes  # 65 bytes, piS


@dataclass(frozen=True, slots=True, repr=False)
class TransferPoints:
    """Row 4 of a transfer, vault to device."""

    transfer_points: tuple[bytes, ...]  # [416] of 33 bytes, R_i


Message = (
    EnrolRequest
    | VaultCommitment
    | DevicePublicShare
    | TransferOffer
    | CheckCorrections
    | CheckCommitment
    | CheckOpening
    | VaultOpening
    | EnrolConfirmation
    | SignRequest
    | NonceCommitments
    | DeviceNonces
    | NonceOpenings
    | PartialSignatures
    | Signatures
    | EpochAck
    | RefreshDelta
    | TransferKey
    | TransferPoints
)
Record = Item | DeviceNonce | NonceOpening | Signature

# --- as hashed -----------------------------------------------------------------------------------


def encode_message(message: Message | Record) -> bytes:
    """Encode any message for hashing (§1): its fields in the order above.

    Left out are `use`, which is the label of sid, and `wrong_tries`, which is no part of the
    protocol.

    Raises:
        ProtocolAbortError: a number or a length does not fit 4 bytes, or a word is not ASCII.
    """
    return b"".join(
        _encode(getattr(message, f.name))
        for f in dataclasses.fields(message)
        if f.metadata.get("hashed", True)
    )


def _encode(value: object) -> bytes:
    match value:
        case bytes():
            return part(value)
        case int():
            return part(u32(value))
        case str():
            return part(ascii_bytes(value))
        case tuple():
            return u32(len(value)) + _encode_members(value)
        case Item() | DeviceNonce() | NonceOpening() | Signature():
            return encode_message(value)
        case _:
            raise TypeError("not a field of a message")


def _encode_members(members: tuple[object, ...]) -> bytes:
    """Encode the members of a list; 416 scalars in one join, 10 times faster."""
    if set(map(type, members)) == {bytes}:
        scalars = cast("tuple[bytes, ...]", members)
        if len(set(map(len, scalars))) == 1:
            length = u32(len(scalars[0]))
            return length + length.join(scalars)
    return b"".join(map(_encode, members))
