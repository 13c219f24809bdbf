"""Whom the registrar authorised to enrol with this phone, read for the person to confirm.

The phone checks it with the registrar's key that it pinned, the vault with the one it was given,
and the vault takes the certificate's subject from here: the name that the phone shows is the name
that the vault certifies, whatever the signer says beside it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, ValidationError

from mobile_share.deployment import Deployment
from signer_core.errors import VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId

_TYP: Final = "enrolment-authorisation+jwt"


@dataclass(frozen=True, slots=True)
class AuthorisedSubject:
    """Person in whose name the vault would certify the key."""

    common_name: str = field(repr=False)
    surname: str = field(repr=False)
    given_name: str = field(repr=False)
    birth_date: date | None = field(repr=False)  # where it can be read: its digits are a weak PIN


class _Subject(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    common_name: str
    surname: str
    given_name: str
    unzr: str = ""


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    key_id: str
    device_key: str
    vault: str
    subject: _Subject


def verify_authorisation_is_ours(
    authorisation: str, key_id: KeyId, device_key: DeviceKeyHash, deployment: Deployment
) -> AuthorisedSubject:
    """Check that an authorisation is the registrar's, and for this phone and key.

    Whether it is still in its time and unused is the vault's to say.

    1. It is a compact JWS, signed with ES256 by the pinned registrar's key, of its type.
    2. It has the claims of an enrolment authorisation.
    3. It names this key id, this device key and the pinned vault.

    Raises:
        VerificationError: at the first that fails.
    """
    payload = _verify_signature(authorisation, deployment.registrar())  # 1
    try:
        claims = _Claims.model_validate_json(payload)  # 2
    except ValidationError:
        raise VerificationError("the enrolment authorisation is malformed") from None
    if (claims.key_id, claims.device_key, claims.vault) != (
        key_id.hex(),
        device_key.hex(),
        deployment.vault_id,
    ):  # 3
        raise VerificationError("the enrolment authorisation is for another phone or vault")
    who = claims.subject
    return AuthorisedSubject(who.common_name, who.surname, who.given_name, _birth_date(who.unzr))


def _verify_signature(authorisation: str, registrar: ec.EllipticCurvePublicKey) -> bytes:
    pem = registrar.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        token = jws.deserialize_compact(authorisation, ECKey.import_key(pem), algorithms=["ES256"])
    except (JoseError, ValueError):
        raise VerificationError("the registrar did not sign this enrolment") from None
    if token.headers().get("typ") != _TYP:
        raise VerificationError("the registrar signed another kind of statement")
    return token.payload or b""


def _birth_date(unzr: str) -> date | None:
    """Return the date a UNZR begins with (YYYYMMDD-NNNNN), None where it has another form."""
    try:
        return datetime.strptime(unzr[:9], "%Y%m%d-").date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        return None
