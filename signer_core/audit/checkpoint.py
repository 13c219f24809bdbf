"""Checkpoints: the size and root of the tree at a time, signed (a signed note of C2SP)."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.errors import VerificationError

SIGNER_NAME: Final = "audit-log"
ORIGIN: Final = "diia-signer/audit/"
_NOTE: Final = re.compile(
    r"(diia-signer/audit/[A-Za-z0-9._-]{1,64}\n(\d{1,19})\n([A-Za-z0-9+/]{43}=)\ntime (\d{1,12})\n)"
    r"\n— audit-log ([A-Za-z0-9+/=]{8,200})\n"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed: the first `size` leaves have this root."""

    size: int
    root: bytes  # 32 bytes
    signed_at_s: int  # Unix time


def checkpoint_text(origin: str, checkpoint: Checkpoint) -> bytes:
    """Return the text that is signed; `origin` names the vault."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{ORIGIN}{origin}\n{checkpoint.size}\n{root}\ntime {checkpoint.signed_at_s}\n".encode()


def signed_note(text: bytes, key: ec.EllipticCurvePublicKey, signature: bytes) -> str:
    """Put text and signature (ECDSA P-256 with SHA-256, DER) together."""
    line = base64.b64encode(key_hash(key) + signature).decode()
    return f"{text.decode()}\n— {SIGNER_NAME} {line}\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a note without looking at its signature.

    Raises:
        VerificationError: it is no checkpoint.
    """
    return _parts(note)[1]


def verify_checkpoint(note: str, key: ec.EllipticCurvePublicKey) -> Checkpoint:
    """Return what a note says, if this key signed it.

    Raises:
        VerificationError: it is no checkpoint, or another key's, or changed.
    """
    text, checkpoint, signature = _parts(note)
    if signature[:4] != key_hash(key):
        raise VerificationError("the checkpoint is signed by another key")
    try:
        key.verify(signature[4:], text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise VerificationError("the checkpoint's signature is wrong") from None
    return checkpoint


def key_hash(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 4 bytes that tell keys apart in a note."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()[:4]


def _parts(note: str) -> tuple[bytes, Checkpoint, bytes]:
    found = _NOTE.fullmatch(note)
    if found is None:
        raise VerificationError("this is no checkpoint")
    text, size, root, signed_at_s, signature = found.groups()
    try:
        decoded = base64.b64decode(root, validate=True), base64.b64decode(signature, validate=True)
    except ValueError:
        raise VerificationError("this is no checkpoint") from None
    return text.encode(), Checkpoint(int(size), decoded[0], int(signed_at_s)), decoded[1]
