"""The messages of `ecdsa2p`, in the order sent (docs/spec/ecdsa2p.md §2, §3, §8).

Every field is what the wire carried, nothing in it is trusted: the step that receives a message
checks sizes, points and ranges. Points are 33 bytes, scalars 32 bytes big-endian, nonces,
commitments and digests 32 bytes, proofs 65 bytes. Lists marked [416] have `XI` members.
No message prints its fields: several of them would let a thief of the phone test PINs (§4).
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from signer_core.protocol.transcript import u32

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
class EnrolCommitment:
    """Row 2, vault to device."""

    vault_nonce: bytes  # 32 bytes
    commitment: bytes  # 32 bytes, C1 = commit(X1, pi1)


@dataclass(frozen=True, slots=True, repr=False)
class DevicePublics:
    """Row 3, device to vault. X2 tests PINs: never store it on the phone."""

    public_share: bytes  # 33 bytes, X2 = x2·G
    share_proof: bytes  # 65 bytes, pi2
    transfer_key: bytes  # 33 bytes, S = y·G
    transfer_proof: bytes  # 65 bytes, piS


@dataclass(frozen=True, slots=True, repr=False)
class VaultChoices:
    """Row 4, vault to device: the opening of C1 and the hidden choices of all 416 transfers."""

    public_share: bytes  # 33 bytes, X1
    share_proof: bytes  # 65 bytes, pi1
    nonce: bytes  # 32 bytes, of the commitment
    points: tuple[bytes, ...]  # [416] of 33 bytes, R_i = a_i·G + b_i·S


@dataclass(frozen=True, slots=True, repr=False)
class Corrections:
    """Row 5, device to vault."""

    corrections: tuple[bytes, ...]  # [416] of 32 bytes, c_i


@dataclass(frozen=True, slots=True, repr=False)
class CheckCommitment:
    """Row 6, vault to device."""

    commitment: bytes  # 32 bytes, CB = commit(B)


@dataclass(frozen=True, slots=True, repr=False)
class CheckInputs:
    """Row 7, device to vault."""

    kappa: bytes  # 32 bytes
    pads: tuple[bytes, ...]  # [416] of 32 bytes, t_i^0


@dataclass(frozen=True, slots=True, repr=False)
class CheckResult:
    """Row 8, vault to device: the opening of CB, and the seed of epoch 0."""

    point: bytes  # 33 bytes, B = beta·G
    nonce: bytes  # 32 bytes, of the commitment
    epoch_seed: bytes  # 32 bytes


@dataclass(frozen=True, slots=True, repr=False)
class Confirmation:
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
    request_id: bytes  # at most 64 bytes; empty for refresh and pin-change
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
    tag: bytes  # 32 bytes, §5
    attestation: bytes  # opaque here: of the photo check, §6
    digests: tuple[DeviceNonce, ...]


@dataclass(frozen=True, slots=True, repr=False)
class NonceOpening:
    """One digest's part of step 4: the opening of C_j."""

    nonce_share: bytes  # 33 bytes, R1_j = k1_j·G
    proof: bytes  # 65 bytes, pi1_j
    nonce: bytes  # 32 bytes, of the commitment


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
class SignReply:
    """Step 6, vault to device, after the vault has committed its judgement."""

    signatures: tuple[Signature, ...]
    epoch_seed: bytes  # 32 bytes


@dataclass(frozen=True, slots=True, repr=False)
class EpochAck:
    """Step 7, device to vault, after the device has stored the new epoch durably."""

    ack: bytes  # 32 bytes


# --- §8, the transfer to new shares; then rows 5 to 9 of §2 ---------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class TransferDelta:
    """Row 2 of a transfer, vault to device."""

    delta: bytes  # 32 bytes, x1 - x1'


@dataclass(frozen=True, slots=True, repr=False)
class TransferKey:
    """Row 3 of a transfer, device to vault."""

    transfer_key: bytes  # 33 bytes, S
    transfer_proof: bytes  # 65 bytes, piS


@dataclass(frozen=True, slots=True, repr=False)
class TransferChoices:
    """Row 4 of a transfer, vault to device."""

    points: tuple[bytes, ...]  # [416] of 33 bytes, R_i


# --- as hashed -----------------------------------------------------------------------------------


def encode_message(message: Any) -> bytes:
    """Encode any message for hashing (§1): its fields in the order above, `use` left out."""
    return b"".join(
        _encode(getattr(message, f.name))
        for f in dataclasses.fields(message)
        if f.metadata.get("hashed", True)
    )


def _encode(value: Any) -> bytes:
    match value:
        case bytes():
            return u32(len(value)) + value
        case int():
            return _encode(u32(value))
        case str():
            return _encode(value.encode("ascii"))
        case tuple():
            return u32(len(value)) + _encode_members(value)
        case _:
            return encode_message(value)


def _encode_members(members: tuple[Any, ...]) -> bytes:
    """Encode the members of a list; 416 equally long ones in one join, 10 times faster."""
    if members and isinstance(members[0], bytes) and len(set(map(len, members))) == 1:
        prefix = u32(len(members[0]))
        return prefix + prefix.join(members)
    return b"".join(map(_encode, members))
