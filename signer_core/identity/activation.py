"""Activation codes: 10 characters that stand for a person, once, for one device."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import DeniedError, NotFoundError
from signer_core.identifiers import DeviceKeyHash
from signer_core.storage.engine import take_turn, write_transaction
from signer_core.storage.registrar.codes import ActivationCodes, WrongGuesses

ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0, 1: 31 characters
LENGTH: Final = 10  # 49 bits
LIFETIME_S: Final = 24 * 3600
WINDOW_S: Final = 3600  # of the two limits below
DEVICE_GUESSES: Final = 5  # a person mistypes
TOPIC: Final = "activation"  # guesses are counted, and devices bound, by one process at a time
ALL_GUESSES: Final = 600  # with a million live codes, a year of guessing finds one with 1 in 150


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A new code; only its keyed hash is stored."""

    code: str = field(repr=False)
    expires_at_s: int  # Unix time


@dataclass(frozen=True, slots=True)
class Activation:
    """Issues codes and takes them."""

    engine: AsyncEngine
    hash_key: bytes = field(repr=False)
    draw: Callable[[str], str]  # one character of these, from a secure source

    async def issue(self, person_id: str, now_s: int) -> IssuedCode:
        """Issue a code for a person."""
        code = "".join(self.draw(ALPHABET) for _ in range(LENGTH))
        async with write_transaction(self.engine) as connection:
            await ActivationCodes(connection).insert(
                self.code_hash(code), person_id, now_s + LIFETIME_S
            )
        return IssuedCode(code, now_s + LIFETIME_S)

    async def take(self, code: str, device: DeviceKeyHash, now_s: int) -> str:
        """Bind a code to a device, or find it bound to the same; return the person's id.

        Raises:
            NotFoundError: the code is unknown, expired, or another device's.
            DeniedError: too many wrong codes in the last hour, of this device or of all.
        """
        async with write_transaction(self.engine) as connection:
            await take_turn(connection, TOPIC)
            await _verify_budget(WrongGuesses(connection), device, now_s)
            person_id = await ActivationCodes(connection).bind(self.code_hash(code), device, now_s)
            if person_id is None:
                await WrongGuesses(connection).record(device, now_s)
        if person_id is None:
            raise NotFoundError("the activation code is not valid: ask for a new one")
        return person_id

    def code_hash(self, code: str) -> bytes:
        """Return what is stored of a code (32 bytes); case, spaces and hyphens do not matter."""
        plain = "".join(code.upper().split()).replace("-", "")
        return hmac.digest(self.hash_key, plain.encode(), hashlib.sha256)


def derive_hash_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Derive the key of the codes' hashes (32 bytes) from the registrar's signing key.

    Without it a thief of the database could try all 49 bits at leisure.
    """
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"diia-signer/activation-codes/v1").derive(
        secret
    )


async def _verify_budget(guesses: WrongGuesses, device: DeviceKeyHash, now_s: int) -> None:
    since_s = now_s - WINDOW_S
    too_many = (
        await guesses.count_since(since_s, device) >= DEVICE_GUESSES
        or await guesses.count_since(since_s) >= ALL_GUESSES
    )
    if too_many:
        raise DeniedError("too many wrong activation codes: wait an hour")
