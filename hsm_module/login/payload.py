"""What an ID token must be before the vault signs it (OpenID Connect Core §2)."""

import json
from typing import Any, Final

from signer_core.errors import InvalidRequestError
from signer_core.login.ports import MAX_PAYLOAD_BYTES

MAX_LIFE_S: Final = 600
_SKEW_S: Final = 60  # between the clocks of signer and vault
_TEXT_CHARACTERS: Final = 4096  # of a claim that is text
_REQUIRED: Final[dict[str, type]] = {"iss": str, "sub": str, "aud": str, "exp": int, "iat": int}
_OPTIONAL: Final[dict[str, type]] = {
    "auth_time": int,
    "nonce": str,
    "acr": str,
    "amr": list,
    "at_hash": str,
    "sid": str,
    "diia_signature": dict,
}


def verify_payload(payload: bytes, issuer: str, now_s: int) -> None:
    """Check an ID token that is to be signed.

    1. It is a JSON object of at most 64 KiB without a name twice.
    2. Its claims have their types.
    3. The issuer is ours.
    4. It was made now, and lives for at most 10 minutes.

    Raises:
        InvalidRequestError: at the first that fails.
    """
    claims = _parse(payload)  # 1
    _verify_types(claims)  # 2
    if not issuer or claims["iss"] != issuer:  # 3
        raise InvalidRequestError("this vault signs ID tokens of its own issuer only")
    if abs(claims["iat"] - now_s) > _SKEW_S:  # 4
        raise InvalidRequestError("an ID token is signed when it is made")
    if not claims["iat"] < claims["exp"] <= claims["iat"] + MAX_LIFE_S:  # 4
        raise InvalidRequestError("an ID token lives for at most 10 minutes")


def _verify_types(claims: dict[str, Any]) -> None:
    for name in _REQUIRED:
        if name not in claims:
            raise InvalidRequestError(f"an ID token has {name}")
    for name, value in claims.items():
        if type(value) is not (_REQUIRED | _OPTIONAL).get(name, str):
            raise InvalidRequestError("a claim of the ID token has a wrong type")
        if isinstance(value, str) and len(value) > _TEXT_CHARACTERS:
            raise InvalidRequestError("a claim of the ID token is too long")


def _parse(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InvalidRequestError("an ID token has at most 64 KiB")
    try:
        claims = json.loads(payload, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise InvalidRequestError("an ID token is a JSON object") from None
    if not isinstance(claims, dict):
        raise InvalidRequestError("an ID token is a JSON object")
    return claims


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
