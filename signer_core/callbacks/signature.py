"""Our signature over a callback: a JWS with detached payload (RFC 7515, Appendix F), ES256."""

import base64
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jws
from joserfc.jwk import ECKey

from signer_core.errors import InvalidRequestError

TYPE: Final = "callback+jws"
HEADER: Final = "X-Signature"  # PROTECTED..SIGNATURE: the payload between the dots is the body


@dataclass(frozen=True, slots=True)
class Claims:
    """What is signed beside the body, by the names of RFC 7519."""

    jti: str  # the callback's id, 32 hex digits: a second one is the same one
    aud: str  # the partner's id: another's callback is none
    iat: int  # Unix time


class CallbackKey:
    """The key that signs callbacks. Its public half is for partners."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        point = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._kid = base64.urlsafe_b64encode(hashlib.sha256(point).digest()[:12]).decode()
        self._key = ECKey.import_key(key)

    def sign(self, body: bytes, claims: Claims) -> str:
        """Return the value of the header; the claims are in its protected part."""
        protected = {"alg": "ES256", "typ": TYPE, "kid": self._kid, **asdict(claims)}
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        whole = jws.serialize_compact(protected, body, self._key, registry=registry)
        before, _, after = whole.split(".")
        return f"{before}..{after}"


def read_callback_key(path: Path) -> CallbackKey:
    """Read the key, PEM.

    Raises:
        InvalidRequestError: it is missing or no P-256 key.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise InvalidRequestError(f"{path} has no readable key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise InvalidRequestError(f"{path} is no P-256 key")
    return CallbackKey(key)
