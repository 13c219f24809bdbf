"""Encryption of a phone's files under `k_file`, never under anything of the PIN (§4).

Layout: magic (4 bytes), version (1 byte), nonce (12 bytes), AES-256-GCM of the content with its
tag (16 bytes). Magic, version and the file's role are authenticated.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobile_share.errors import DamagedFileError, UnsupportedVersionError
from signer_core.protocol.epoch import derive

_MAGIC: Final = b"DSPF"
_VERSION: Final = 1
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_MAGIC) + 1 + _NONCE_BYTES
_TAG_BYTES: Final = 16


def _cipher(device_secret: bytes) -> AESGCM:
    return AESGCM(derive(b"", device_secret, b"k-file"))


def seal(content: bytes, device_secret: bytes, role: bytes) -> bytes:
    """Encrypt `content` as the file of this `role` (for example `share-0`)."""
    head = _MAGIC + bytes([_VERSION])
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + _cipher(device_secret).encrypt(nonce, content, head + role)


def open_sealed(sealed: bytes, device_secret: bytes, role: bytes) -> bytes:
    """Decrypt what `seal` made for this role and this phone.

    1. Whole enough to be such a file.
    2. Of a version this program knows.
    3. Authentic.

    Raises:
        DamagedFileError: torn, altered, of another role or of another phone.
        UnsupportedVersionError: of another version.
    """
    if len(sealed) < _HEAD_BYTES + _TAG_BYTES or not sealed.startswith(_MAGIC):  # 1
        raise DamagedFileError("a file of this phone is torn or no such file")
    if sealed[len(_MAGIC)] != _VERSION:  # 2
        raise UnsupportedVersionError("this phone's files need another version of the program")
    head, nonce = sealed[: len(_MAGIC) + 1], sealed[len(_MAGIC) + 1 : _HEAD_BYTES]
    try:
        return _cipher(device_secret).decrypt(nonce, sealed[_HEAD_BYTES:], head + role)  # 3
    except InvalidTag:
        raise DamagedFileError("a file of this phone is damaged, or another phone's") from None
