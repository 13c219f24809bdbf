"""A relying party's record, signed by the registry: what the phone shows as "who asks"."""

import base64
import json
from collections.abc import Mapping
from typing import Final, Literal, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from pydantic import BaseModel, Field, StrictInt, ValidationError, model_validator

from signer_core.errors import InvalidRequestError
from signer_core.pki.partner_key import PartnerKey, base64url
from signer_core.pki.web_address import check_web_address

TYPE: Final = "relying-party+jwt"
MAX_CHARACTERS: Final = 4096  # of a signed record: what a phone takes

# What a partner may ask a person for, and what it may be told of one who signs in.
Scope = Literal[
    "auth",
    "hashedFilesSigning",
    "consent",
    "antibot",
    "documentSigning",
    "profile",
    "person_code",
    "birthdate",
]


class PartnerDescription(BaseModel, frozen=True, extra="forbid"):
    """What is to be signed about a partner, in the order of the claims; all of it is required."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    name_uk: str = Field(min_length=1, max_length=200)
    name_en: str = Field(min_length=1, max_length=200)
    logo_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")  # of the logo file
    return_addresses: tuple[str, ...] = Field(max_length=16)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    callback_address: str  # that results are posted to, or empty
    keys: tuple[PartnerKey, ...] = Field(max_length=4)  # it signs its own assertions with

    @model_validator(mode="after")
    def _is_fit_to_show(self) -> Self:
        if not (self.name_uk.isprintable() and self.name_en.isprintable()):
            raise ValueError("a name has characters that cannot be shown")
        if self.name_uk != self.name_uk.strip() or self.name_en != self.name_en.strip():
            raise ValueError("a name begins or ends with a space")
        return self

    @model_validator(mode="after")
    def _has_addresses(self) -> Self:
        for address in self.return_addresses:
            check_web_address("a return address", address)
        if self.callback_address:
            check_web_address("a callback address", self.callback_address)
        return self

    @model_validator(mode="after")
    def _names_nothing_twice(self) -> Self:
        kids = [key.kid for key in self.keys]
        for what, names in (
            ("return address", self.return_addresses),
            ("scope", self.scopes),
            ("key id", kids),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"a {what} is there twice")
        return self

    def issued(self, at_s: int) -> "RelyingParty":
        """Return what the registry signs at this Unix time."""
        return RelyingParty.model_validate({**self.model_dump(), "issued_at": at_s})


class RelyingParty(PartnerDescription, frozen=True, extra="forbid"):
    """The claims of a record, in the order they are signed."""

    issued_at: StrictInt = Field(gt=0)  # Unix time; of two records the later one holds

    def description(self) -> PartnerDescription:
        """Return the record without its time."""
        return PartnerDescription.model_validate(self.model_dump(exclude={"issued_at"}))


def parse_description(claims: Mapping[str, object]) -> PartnerDescription:
    """Parse what somebody wants signed.

    Raises:
        InvalidRequestError: a claim is missing, unknown or of wrong form.
    """
    try:
        return PartnerDescription.model_validate(claims)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        raise InvalidRequestError(f"relying party: {field}: {first['msg']}") from None


def sign_relying_party(record: RelyingParty, key: ec.EllipticCurvePrivateKey) -> str:
    """Return the record as a compact JWS, ES256 (RFC 7515, RFC 7518 §3.4).

    By hand, because JOSE libraries take no key that lives in a token; the tests verify it
    with joserfc and with OpenSSL.

    Raises:
        InvalidRequestError: it would have more than 4096 characters.
    """
    header = {"alg": "ES256", "typ": TYPE}
    signed = f"{_part(header)}.{_part(record.model_dump(mode='json'))}"
    if len(signed) + 87 > MAX_CHARACTERS:  # "." and 64 bytes of signature
        raise InvalidRequestError(
            "relying party: too long: fewer or shorter addresses, keys, names"
        )
    der = key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def read_claims(record: str) -> Mapping[str, object]:
    """Return the claims of a record WITHOUT verifying it: to show it, or to sort; {} of none."""
    try:
        payload = record.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _part(content: Mapping[str, object]) -> str:
    return base64url(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
