"""The PIN masks the share; nothing on the phone can tell a right PIN (docs/spec/ecdsa2p.md §4)."""

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import Final

from argon2.low_level import Type, hash_secret_raw

from signer_core.protocol.epoch import derive
from signer_core.protocol.transcript import Q

SALT_BYTES: Final = 32
_OUTPUT_BYTES: Final = 48  # mod q: bias below 2^-128, §1


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """Cost of Argon2id, stored beside the salt. The default: RFC 9106 §4, second choice."""

    memory_kib: int = 65_536
    passes: int = 3  # passes over the memory
    lanes: int = 4  # lanes


@dataclass(frozen=True, slots=True)
class PinMask:
    """How F is derived for one generation of the share."""

    salt: bytes = field(repr=False)  # 32 random bytes
    parameters: Argon2Parameters = Argon2Parameters()


async def derive_factor(pin: str, device_secret: bytes, mask: PinMask) -> int:
    """Return F, `0 <= F < q`, in a thread: 64 MiB and some 0.15 s, the interpreter lock released.

    `F = Argon2id(PIN, HMAC-SHA256(k_pin, salt))` to 48 bytes, mod q. Never store or log it.
    """
    return await asyncio.to_thread(_derive_factor, pin, device_secret, mask)


def _derive_factor(pin: str, device_secret: bytes, mask: PinMask) -> int:
    k_pin = derive(b"", device_secret, b"k-pin")
    raw = hash_secret_raw(
        pin.encode("ascii"),
        hmac.digest(k_pin, mask.salt, "sha256"),
        time_cost=mask.parameters.passes,
        memory_cost=mask.parameters.memory_kib,
        parallelism=mask.parameters.lanes,
        hash_len=_OUTPUT_BYTES,
        type=Type.ID,
    )
    return int.from_bytes(raw, "big") % Q


def mask_share(x2: int, factor: int) -> bytes:
    """Return `w = x2 - F mod q`, 32 bytes big-endian."""
    return ((x2 - factor) % Q).to_bytes(32, "big")


def unmask_share(masked: bytes, factor: int) -> int:
    """Return the `x2` that this F gives, right or wrong: every PIN gives a valid-looking one."""
    return (int.from_bytes(masked, "big") + factor) % Q
