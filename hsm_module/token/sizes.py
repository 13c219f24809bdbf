"""Sizes of what goes to the token and comes back, each checked in one place."""

from typing import Final

from signer_core.errors import InvalidRequestError, VerificationError

NONCE_BYTES: Final = 12  # NIST SP 800-38D §5.2.1.1, the recommended IV
TAG_BYTES: Final = 16  # NIST SP 800-38D §5.2.1.2, the longest tag
MAX_PLAINTEXT_BYTES: Final = 16 * 1024  # a share record is about 6.9 kB (ecdsa2p §7)
MAX_AAD_BYTES: Final = 4 * 1024
MAX_MAC_DATA_BYTES: Final = 64 * 1024
DIGEST_BYTES: Final = 32  # SHA-256
MAX_RANDOM_BYTES: Final = 1024


def check_plaintext(plaintext: bytes) -> None:
    """Raise `InvalidRequestError` unless `plaintext` is 1 B to 16 KiB."""
    _check(plaintext, MAX_PLAINTEXT_BYTES, "a record")


def check_aad(aad: bytes) -> None:
    """Raise `InvalidRequestError` unless `aad` is 1 B to 4 KiB: a record is always bound."""
    _check(aad, MAX_AAD_BYTES, "the associated data of a record")


def check_mac_data(data: bytes) -> None:
    """Raise `InvalidRequestError` unless `data` is 1 B to 64 KiB."""
    _check(data, MAX_MAC_DATA_BYTES, "authenticated data")


def check_random(size: int) -> None:
    """Raise `InvalidRequestError` unless `size` is 1 to 1024."""
    if not 1 <= size <= MAX_RANDOM_BYTES:
        raise InvalidRequestError(f"random bytes come 1 to {MAX_RANDOM_BYTES} at a time")


def check_digest(digest: bytes) -> None:
    """Raise `InvalidRequestError` unless `digest` is 32 B.

    SoftHSM itself signs 48 and 64 bytes under P-256 without a word.
    """
    if len(digest) != DIGEST_BYTES:
        raise InvalidRequestError("a digest is 32 bytes of SHA-256")


def check_blob(blob: bytes) -> None:
    """Raise `VerificationError` unless `blob` has a length that `wrap` can have made."""
    overhead = NONCE_BYTES + TAG_BYTES
    if not overhead < len(blob) <= overhead + MAX_PLAINTEXT_BYTES:
        raise VerificationError("the wrapped record has a wrong length")


def check_turn(count: int, limit: int) -> None:
    """Raise `InvalidRequestError` unless one turn of the token does at most `limit` things."""
    if count > limit:
        raise InvalidRequestError(f"the token does at most {limit} things in one turn")


def _check(data: bytes, limit: int, what: str) -> None:
    if not 1 <= len(data) <= limit:
        raise InvalidRequestError(f"{what} is 1 to {limit} bytes")
