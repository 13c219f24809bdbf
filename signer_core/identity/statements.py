"""Signed statements: compact JWS (RFC 7515) with ES256 and one type each, nothing optional."""

from functools import lru_cache
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ValidationError

from signer_core.errors import VerificationError

MAX_CHARACTERS = 4096  # grpc_api/channel: what a phone may send of one

C = TypeVar("C", bound=BaseModel)


# A process signs with one key and believes one: each is read once.
@lru_cache(maxsize=4)
def _private(key: ec.EllipticCurvePrivateKey) -> ECKey:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ECKey.import_key(pem)


@lru_cache(maxsize=16)
def _public(pem: bytes) -> ECKey:
    return ECKey.import_key(pem)


def sign_statement(kind: str, claims: BaseModel, key: ec.EllipticCurvePrivateKey) -> str:
    """Return the claims as a compact JWS whose header names the type `kind`."""
    header = {"alg": "ES256", "typ": kind}
    payload = claims.model_dump_json().encode()
    return jws.serialize_compact(header, payload, _private(key), algorithms=["ES256"])


def verify_statement(token: str, kind: str, claims: type[C], key: ec.EllipticCurvePublicKey) -> C:
    """Check a statement against the one key that may have made it.

    1. At most 4096 characters.
    2. The header is exactly ES256 and the type: no key, no other algorithm is taken from it.
    3. The signature is the key's.
    4. All claims are there, of their types, and no others.

    Raises:
        VerificationError: at the first that fails.
    """
    if len(token) > MAX_CHARACTERS:  # 1
        raise VerificationError("the signed statement is too long")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
        if header != {"alg": "ES256", "typ": kind}:  # 2
            raise VerificationError("the signed statement is of another kind")
        verified = jws.deserialize_compact(token, _public(pem), algorithms=["ES256"])  # 3
        return claims.model_validate_json(verified.payload or b"", strict=True)  # 4
    except (JoseError, ValidationError, ValueError):
        raise VerificationError("the signed statement is not genuine") from None
