"""The request hash: what a person was asked, in 32 bytes (docs/spec/request-hash.md).

Signer and phone compute it, each from what it knows; the vault compares.
"""

from collections.abc import Sequence
from typing import NamedTuple

from signer_core.protocol.transcript import ascii_bytes, h32, part, u32


class RequestFile(NamedTuple):
    """One file of a request."""

    name: str
    file_hash: bytes  # 32 bytes, SHA-256 of what is signed


def request_hash(
    kind: str,
    relying_party: str,
    purpose: str,
    files: Sequence[tuple[str, bytes]],
    return_address: str,
    challenge: bytes,
) -> bytes:
    """Return the hash (32 bytes) of a request.

    `relying_party` is the record's compact JWS; for a key's own PKCS#10 (`kind` "certificate")
    the enrolment authorisation, with the key id as the challenge and all else empty.

    Raises:
        ProtocolAbortError: kind, record or address is not ASCII.
    """
    return h32(
        "request",
        ascii_bytes(kind),
        ascii_bytes(relying_party),
        purpose.encode(),
        _encode_files(files),
        ascii_bytes(return_address),
        challenge,
    )


def _encode_files(files: Sequence[tuple[str, bytes]]) -> bytes:
    members = [part(name.encode()) + part(file_hash) for name, file_hash in files]
    return u32(len(files)) + b"".join(members)
