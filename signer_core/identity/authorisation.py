"""Enrolment authorisations (docs/spec/enrolment-authorisation.md)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict

from signer_core.errors import DeniedError, VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.identity.statements import sign_statement, verify_statement
from signer_core.pki.subject import Subject

TYPE: Final = "enrolment-authorisation+jwt"
LIFETIME_S: Final = 15 * 60
CLOCK_SKEW_S: Final = 30  # registrar and vault may disagree by this much


@dataclass(frozen=True, slots=True)
class EnrolmentAuthorisation:
    """One person may enrol one key, on one device, in one vault, once."""

    person_id: str
    key_id: KeyId
    device_key_hash: DeviceKeyHash
    vault_id: VaultId
    issued_at_s: int  # Unix time
    expires_at_s: int  # Unix time
    jti: bytes  # 16 bytes; the vault takes each once
    country: str  # ISO 3166-1 alpha-2
    subject: Subject = field(repr=False)


class _Subject(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    common_name: str
    surname: str
    given_name: str
    rnokpp: str
    unzr: str
    country: str


class _Claims(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    person: str
    key_id: str
    device_key: str
    vault: str
    iat: int
    exp: int
    jti: str
    subject: _Subject


def sign_authorisation(
    authorisation: EnrolmentAuthorisation, key: ec.EllipticCurvePrivateKey
) -> str:
    """Return the authorisation as a compact JWS."""
    who = authorisation.subject
    claims = _Claims(
        person=authorisation.person_id,
        key_id=authorisation.key_id.hex(),
        device_key=authorisation.device_key_hash.hex(),
        vault=authorisation.vault_id,
        iat=authorisation.issued_at_s,
        exp=authorisation.expires_at_s,
        jti=authorisation.jti.hex(),
        subject=_Subject(
            common_name=who.common_name,
            surname=who.surname,
            given_name=who.given_name,
            rnokpp=who.rnokpp,
            unzr=who.unzr,
            country=authorisation.country,
        ),
    )
    return sign_statement(TYPE, claims, key)


def verify_authorisation(
    token: str, registrar: ec.EllipticCurvePublicKey, now: datetime
) -> EnrolmentAuthorisation:
    """Check an authorisation that is to be used now; what it names is the caller's to compare.

    1. As `verify_used_authorisation`.
    2. It lives at most 15 minutes, and now is one of them (30 s of skew before its start).

    Raises:
        DeniedError: at the first that fails.
    """
    authorisation = verify_used_authorisation(token, registrar)  # 1
    start, end = authorisation.issued_at_s, authorisation.expires_at_s
    if not 0 < end - start <= LIFETIME_S or not start - CLOCK_SKEW_S <= now.timestamp() < end:  # 2
        raise DeniedError("the enrolment authorisation has expired: begin again")
    return authorisation


def verify_used_authorisation(
    token: str, registrar: ec.EllipticCurvePublicKey
) -> EnrolmentAuthorisation:
    """Check an authorisation under which a key was enrolled, however old.

    1. A statement of the registrar, of this type, complete.
    2. Ids of 16 bytes, a device key hash of 32.

    Raises:
        DeniedError: at the first that fails.
    """
    try:
        claims = verify_statement(token, TYPE, _Claims, registrar)  # 1
    except VerificationError:
        raise DeniedError("the enrolment authorisation is not the registrar's") from None
    who = claims.subject
    return EnrolmentAuthorisation(
        person_id=claims.person,
        key_id=KeyId(_octets(claims.key_id, 16)),  # 2
        device_key_hash=DeviceKeyHash(_octets(claims.device_key, 32)),
        vault_id=VaultId(claims.vault),
        issued_at_s=claims.iat,
        expires_at_s=claims.exp,
        jti=_octets(claims.jti, 16),
        country=who.country,
        subject=Subject(who.common_name, who.surname, who.given_name, who.rnokpp, who.unzr),
    )


def _octets(text: str, size: int) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != size or octets.hex() != text:
        raise DeniedError("the enrolment authorisation is malformed")
    return octets
