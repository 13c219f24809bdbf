"""Requests about a key itself, which a person confirms by the PIN alone (docs/spec/ecdsa2p.md §6).

Phone and signer compute the hash, each for itself; the vault compares, and acts on consumption.
"""

import hashlib
from enum import StrEnum

from signer_core.identifiers import KeyId
from signer_core.protocol.request import request_hash


class KeyAction(StrEnum):
    """What the vault shall do with the key that the request is about; also the request's kind."""

    SUSPENSION = "keySuspension"  # of the key that signs
    REVOCATION = "keyRevocation"  # of the key that signs, and its certificate
    REPLACEMENT = "keyReplacement"  # of another key of the same person, by the key that signs
    RENEWAL = "certificateRenewal"  # of the certificate of the key that signs; it signs a PKCS#10


def about_hash(about: KeyId, certificate_sha256: bytes = b"") -> bytes:
    """Return the one file hash (32 bytes) of such a request: SHA-256 of the key's id.

    That of a renewal goes on with the SHA-256 of the certificate in force: one renewal each.
    """
    return hashlib.sha256(about + certificate_sha256).digest()


def action_hash(action: KeyAction, about: KeyId, certificate_sha256: bytes = b"") -> bytes:
    """Return the request hash (32 bytes): the key's id in hexadecimal takes a file's name."""
    return request_hash(
        kind=action,
        relying_party="",
        purpose="",
        files=[(about.hex(), about_hash(about, certificate_sha256))],
        return_address="",
        challenge=certificate_sha256,
    )
