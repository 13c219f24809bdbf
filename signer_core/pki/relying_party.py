"""A relying party's record, signed by the registry: what the phone shows as "who asks"."""

import base64
import json
from collections.abc import Mapping
from typing import Final, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pydantic import BaseModel, Field, ValidationError, model_validator

from signer_core.errors import InvalidRequestError

TYPE: Final = "relying-party+jwt"
_FOR_DEVELOPERS: Final = (("http", "127.0.0.1"), ("http", "localhost"))


class RelyingParty(BaseModel, frozen=True, extra="forbid"):
    """The claims of a record, in the order they are signed."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    name_uk: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    logo_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the logo file
    return_addresses: tuple[str, ...] = Field(max_length=16)

    @model_validator(mode="after")
    def _is_fit_to_show(self) -> Self:
        if not (self.name_uk.isprintable() and self.name_en.isprintable()):
            raise ValueError("a name has characters that cannot be shown")
        for address in self.return_addresses:
            _check_address(address)
        return self


def _check_address(address: str) -> None:
    url = urlsplit(address)
    if not address.isascii() or not address.isprintable() or " " in address or not url.hostname:
        raise ValueError("a return address is not a URL")
    if url.username is not None or url.fragment:
        raise ValueError("a return address has no user and no fragment")
    if url.scheme != "https" and (url.scheme, url.hostname) not in _FOR_DEVELOPERS:
        raise ValueError("a return address is https, or http on loopback")


def parse_relying_party(claims: dict[str, object]) -> RelyingParty:
    """Parse the claims of a record.

    Raises:
        InvalidRequestError: a claim is missing, unknown or of wrong form.
    """
    try:
        return RelyingParty.model_validate(claims)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise InvalidRequestError(f"relying party: {field}: {first['msg']}") from None


def sign_relying_party(record: RelyingParty, key: ec.EllipticCurvePrivateKey) -> str:
    """Return the record as a compact JWS, ES256 (RFC 7515, RFC 7518 §3.4).

    By hand, because JOSE libraries take no key that lives in a token; the tests verify it
    with joserfc.
    """
    header = {"alg": "ES256", "typ": TYPE}
    signed = f"{_part(header)}.{_part(record.model_dump(mode='json'))}"
    der = key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _part(content: Mapping[str, object]) -> str:
    return _base64url(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
