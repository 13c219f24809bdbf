"""What a device key signs to confirm an "antibot" request (phone/v1/offers.proto)."""

from typing import Final

SIGNATURE_BYTES: Final = 64  # r and s of ES256, 32 bytes each
_LABEL: Final = b"diia-signer/antibot/v1"


def presence_message(request_hash: bytes) -> bytes:
    """Return the bytes for ECDSA with SHA-256, for a request hash of 32 bytes."""
    return _LABEL + b"\0" + request_hash
