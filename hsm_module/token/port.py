"""What the vault asks of a token; the contract suite is `tests/contract/token_contract.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NewType, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

KekId = NewType("KekId", str)  # label of an AES-256 key that encrypts records
KeyLabel = NewType("KeyLabel", str)  # label of an EC P-256 key pair that signs

T = TypeVar("T")

MAX_AT_ONCE = 256  # of `macs` and `rewrap`: some 10 ms of the token, which others wait for


@dataclass(frozen=True, slots=True)
class Rewrap:
    """A record that is to move from one KEK to another."""

    old: KekId
    new: KekId
    blob: bytes = field(repr=False)  # under `old` and `old_aad`
    old_aad: bytes
    new_aad: bytes


class Token(Protocol):
    """Keys that never leave: record keys (KEKs), one state-MAC key, signing keys.

    Every method raises `TokenFaultError` (an `UnavailableError`) when the token is dead: that is
    for good, the process must exit non-zero and be started again. It raises `NotFoundError`
    for a label that is not in the token's manifest, and `InvalidRequestError` for a wrong size.
    """

    async def wrap(self, kek_id: KekId, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt a record with AES-256-GCM; return nonce (12 B), ciphertext, tag (16 B).

        `plaintext` is 1 B to 16 KiB, `aad` 1 B to 4 KiB. The nonce is from the token's random
        generator: one KEK serves at most 2^32 records (NIST SP 800-38D §8.3).
        """
        ...

    async def unwrap(self, kek_id: KekId, blob: bytes, aad: bytes) -> bytes:
        """Decrypt what `wrap` returned.

        Raises:
            VerificationError: not a blob of this KEK under this `aad`, or changed since.
        """
        ...

    async def rewrap(self, items: Sequence[Rewrap]) -> Sequence[bytes | None]:
        """Unwrap and wrap again, at most 256 records in one turn; None for one not authentic.

        The plaintexts stay beside the token.
        """
        ...

    def newest_kek(self) -> KekId:
        """Return the KEK that new records are wrapped under: of `kek-1`, `kek-2`, .. the last."""
        ...

    async def make_kek(self, kek_id: KekId) -> None:
        """Make another KEK while the token serves; harmless if there is one of this id.

        Raises:
            InvalidRequestError: it is not the one after the newest, nor the newest.
        """
        ...

    def login_keys(self) -> Sequence[KeyLabel]:
        """Return the keys that sign ID tokens, `login-1`, `login-2`, ..: the oldest first."""
        ...

    async def make_login_key(self, label: KeyLabel) -> None:
        """Make another login key while the token serves; harmless if there is one of this label.

        Raises:
            InvalidRequestError: it is not the one after the newest, nor the newest.
        """
        ...

    def keks(self) -> Sequence[KekId]:
        """Return every KEK that records may be under."""
        ...

    async def make_seal_key(self, label: KeyLabel) -> None:
        """Make a seal's key while the token serves; harmless if there is one of this label.

        Raises:
            InvalidRequestError: it is no label of a seal's key.
        """
        ...

    async def unpin(self, label: str) -> None:
        """Take a seal's key or an older KEK out of use, in every process from its next call on.

        Raises:
            InvalidRequestError: it is another key.
        """
        ...

    async def pin_again(self, kek_id: KekId) -> None:
        """Take a KEK into use again that was taken out.

        Raises:
            NotFoundError: it was destroyed meanwhile.
        """
        ...

    async def destroy(self, label: str) -> None:
        """Destroy a key that is out of use, for good; harmless if it is gone.

        Raises:
            InvalidRequestError: it is in use.
        """
        ...

    async def mac(self, data: bytes) -> bytes:
        """Return the 32 bytes of HMAC-SHA256 over `data` (1 B to 64 KiB), under the state key.

        To check one: compute it again and `hmac.compare_digest`.
        """
        ...

    async def macs(self, data: Sequence[bytes]) -> Sequence[bytes]:
        """Return `mac` of each, at most 256 in one turn."""
        ...

    async def sign_digest(self, label: KeyLabel, digest: bytes) -> bytes:
        """Sign a SHA-256 digest (32 B) with ECDSA P-256; return DER."""
        ...

    async def use_key(self, label: KeyLabel, work: Callable[[ec.EllipticCurvePrivateKey], T]) -> T:
        """Run `work` beside the token with a private key object that signs in the token.

        For builders of certificates, CRLs and OCSP answers, which want a key and are not async.
        `work` holds up every other call: it takes milliseconds and waits for nothing.
        """
        ...

    async def public_key(self, label: KeyLabel) -> ec.EllipticCurvePublicKey:
        """Return the public key pinned for `label` at the ceremony."""
        ...

    async def random(self, size: int) -> bytes:
        """Return `size` bytes (1 to 1024) of the token's random generator."""
        ...
