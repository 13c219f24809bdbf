"""A public key of a partner as its record has it: a JWK (RFC 7517) of P-256, nothing optional."""

import base64
import binascii
from typing import Literal, Self

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, Field, model_validator


class PartnerKey(BaseModel, frozen=True, extra="forbid"):
    """A public key that a partner signs its assertions with (ES256)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    kid: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")  # the partner's own name for it
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")  # 32 bytes, base64url
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")

    @model_validator(mode="after")
    def _is_on_the_curve(self) -> Self:
        x, y = (int.from_bytes(_bytes(part), "big") for part in (self.x, self.y))
        try:
            ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:
            raise ValueError("a key is not a point of P-256") from None
        return self


def _bytes(text: str) -> bytes:
    """Decode base64url; one text only for the same bytes."""
    try:
        data = base64.urlsafe_b64decode(text + "=")
    except binascii.Error:
        raise ValueError("a key is not base64url") from None
    if base64url(data) != text:
        raise ValueError("a key is not canonical base64url")
    return data


def base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
