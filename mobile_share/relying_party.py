"""Who asks: the record that the registry signed, so that a corrupt signer shows no false name."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, ValidationError

from signer_core.errors import VerificationError

_TYP: Final = "relying-party+jwt"
_MAX_CHARS: Final = 4096  # signer_core.identity.statements


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A relying party, as the registry knows it."""

    party_id: str
    name_uk: str
    name_en: str
    return_addresses: tuple[str, ...]
    scopes: tuple[str, ...]  # kinds of requests it may make, and what it may be told of a person


class _Key(BaseModel):
    """A public key of the partner's own; the phone has no use for it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    kty: str
    crv: str
    kid: str
    x: str
    y: str


class _Claims(BaseModel):
    """The record's claims; all required, nothing coerced, nothing besides."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    id: str
    name_uk: str
    name_en: str
    logo_sha256: str
    return_addresses: list[str]
    scopes: list[str]
    callback_address: str
    keys: list[_Key]
    issued_at: int


@lru_cache(maxsize=64)  # the registry's word does not change; its time is `verify_registry`'s
def verify_relying_party(record: str, registry: x509.Certificate) -> RelyingParty:
    """Check a record against the pinned registry certificate.

    1. A compact JWS of at most 4096 characters.
    2. Signed with ES256 by the registry's key; no other algorithm is looked at.
    3. Of the type `relying-party+jwt`.
    4. Every claim there, of its type.

    Raises:
        VerificationError: at the first that fails.
    """
    if len(record) > _MAX_CHARS:  # 1
        raise VerificationError("the relying party's record is too long")
    token = _verify_signature(record, registry)  # 2
    if token.headers().get("typ") != _TYP:  # 3
        raise VerificationError("the relying party's record is another kind of statement")
    try:
        claims = _Claims.model_validate_json(token.payload or b"")  # 4
    except ValidationError:
        raise VerificationError("the relying party's record is incomplete") from None
    return RelyingParty(
        claims.id,
        claims.name_uk,
        claims.name_en,
        tuple(claims.return_addresses),
        tuple(claims.scopes),
    )


def _verify_signature(record: str, registry: x509.Certificate) -> jws.CompactSignature:
    pem = registry.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        return jws.deserialize_compact(record, ECKey.import_key(pem), algorithms=["ES256"])
    except (JoseError, ValueError):
        raise VerificationError("the registry did not sign this relying party's record") from None
