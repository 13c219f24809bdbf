"""Whom the registrar authorised to enrol with this phone, read for the person to confirm.

The vault verifies the registrar's signature and takes the certificate's subject from here; the
phone has no registrar's key. It reads the same bytes, so the name it shows is the name the vault
certifies, whatever the signer says beside it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from joserfc import jws
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, ValidationError

from signer_core.errors import VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId


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
    authorisation: str, key_id: KeyId, device_key: DeviceKeyHash, vault_id: str
) -> AuthorisedSubject:
    """Check that an authorisation, verified by the vault later, is for this phone and key.

    1. It is a compact JWS with the claims of an enrolment authorisation.
    2. It names this key id, this device key and the pinned vault.

    Raises:
        VerificationError: at the first that fails.
    """
    try:
        payload = jws.extract_compact(authorisation.encode("ascii")).payload
        claims = _Claims.model_validate_json(payload or b"")  # 1
    except (JoseError, ValidationError, ValueError):
        raise VerificationError("the enrolment authorisation is malformed") from None
    if (claims.key_id, claims.device_key, claims.vault) != (
        key_id.hex(),
        device_key.hex(),
        vault_id,
    ):  # 2
        raise VerificationError("the enrolment authorisation is for another phone or vault")
    who = claims.subject
    return AuthorisedSubject(who.common_name, who.surname, who.given_name, _birth_date(who.unzr))


def _birth_date(unzr: str) -> date | None:
    """Return the date a UNZR begins with (YYYYMMDD-NNNNN), None where it has another form."""
    try:
        return datetime.strptime(unzr[:9], "%Y%m%d-").date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        return None
