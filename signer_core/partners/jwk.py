"""A developer's public key as tools write it: a JWK with more members than a record has."""

import hashlib
import json
from typing import Final

from pydantic import ValidationError

from signer_core.errors import InvalidRequestError
from signer_core.pki.partner_key import PartnerKey, base64url

MAX_BYTES: Final = 2048
_HARMLESS: Final = {"use", "alg", "key_ops", "ext", "kid"}


class PrivateKeyError(InvalidRequestError):
    """Somebody pasted a private key: it is secret no more."""


def parse_public_jwk(text: str) -> PartnerKey:
    """Parse a public JWK of P-256; without a `kid` it gets its thumbprint (RFC 7638).

    1. At most 2 KiB of JSON, an object.
    2. No private part: who pasted that must throw the key away, and is told so.
    3. A point of P-256, for signing, and no member that we do not know.

    Raises:
        PrivateKeyError: 2.
        InvalidRequestError: 1 or 3.
    """
    if len(text.encode()) > MAX_BYTES:  # 1
        raise InvalidRequestError("the key is longer than 2 KiB: one public JWK is enough")
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError("the key is not a JWK: it is not JSON") from None
    if not isinstance(members, dict):
        raise InvalidRequestError("the key is not a JWK: it is not a JSON object")
    if {"d", "k", "p", "q"} & set(members):  # 2
        raise PrivateKeyError(
            "this is a PRIVATE key: make a new one, and give only its public part (without “d”)"
        )
    if members.get("use", "sig") != "sig" or members.get("alg", "ES256") != "ES256":  # 3
        raise InvalidRequestError("the key is for something else than signing with ES256")
    point = {name: value for name, value in members.items() if name not in _HARMLESS}
    try:
        return PartnerKey.model_validate(point | {"kid": members.get("kid") or _thumbprint(point)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(
            f"the key is not a public JWK of P-256: {where} {first['msg']}".replace("  ", " ")
        ) from None


def _thumbprint(point: dict[str, object]) -> str:
    required = {name: point.get(name) for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())
