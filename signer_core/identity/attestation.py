"""Photo attestations (docs/spec/enrolment-authorisation.md §2)."""

from datetime import datetime
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict

from signer_core.errors import DeniedError, VerificationError
from signer_core.identifiers import DeviceKeyHash, RequestId
from signer_core.identity.statements import sign_statement, verify_statement

TYPE: Final = "photo-attestation+jwt"
MAX_AGE_S: Final = 300  # docs/spec/ecdsa2p.md §6
MAX_AHEAD_S: Final = 30  # registrar's clock before the vault's


class _Claims(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    device_key: str
    request_id: str
    result: Literal["match"]
    iat: int


def sign_attestation(
    device_key_hash: DeviceKeyHash,
    request_id: RequestId,
    now: datetime,
    key: ec.EllipticCurvePrivateKey,
) -> str:
    """Attest that the photo matched, for one request on one device; a compact JWS."""
    claims = _Claims(
        device_key=device_key_hash.hex(),
        request_id=request_id.hex(),
        result="match",
        iat=int(now.timestamp()),
    )
    return sign_statement(TYPE, claims, key)


def verify_attestation(
    token: str,
    registrar: ec.EllipticCurvePublicKey,
    *,
    device_key_hash: DeviceKeyHash,
    request_id: RequestId,
    now: datetime,
) -> None:
    """Check an attestation.

    1. A statement of the registrar, of this type, complete, result "match".
    2. For this device and this request.
    3. At most 300 s old, and at most 30 s in the future.

    Raises:
        DeniedError: at the first that fails.
    """
    try:
        claims = verify_statement(token, TYPE, _Claims, registrar)  # 1
    except VerificationError:
        raise DeniedError("the photo attestation is not the registrar's") from None
    if (claims.device_key, claims.request_id) != (device_key_hash.hex(), request_id.hex()):  # 2
        raise DeniedError("the photo attestation is for another phone or request")
    if not -MAX_AHEAD_S <= now.timestamp() - claims.iat <= MAX_AGE_S:  # 3
        raise DeniedError("the photo check is too old: repeat it")
