"""What the ceremony pinned about the token: `token-manifest.json`, read at every start.

It holds no secret. Whoever can write it can also change the binary that reads it; it is here
against damaged and swapped token files, which SoftHSM does not notice.
"""

import base64
from pathlib import Path
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import BaseModel, PlainSerializer, PlainValidator, ValidationError

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.policy import KeyKind, KeyPolicy

KNOWN_TEXT: Final = b"diia-signer/token-manifest/v1/known"  # never a record, never a state row


def known_aad(label: str) -> bytes:
    """Return the associated data of a key's known blob."""
    return b"diia-signer/token-manifest/v1/" + label.encode()


def _decode(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("not base64")  # noqa: TRY004  pydantic collects ValueError only
    return base64.b64decode(value, validate=True)


Base64 = Annotated[
    bytes,
    PlainValidator(_decode),
    PlainSerializer(lambda data: base64.b64encode(data).decode(), return_type=str),
]


class PinnedKey(BaseModel, frozen=True, extra="forbid"):
    """A key as the ceremony left it."""

    policy: KeyPolicy
    # signing: DER SubjectPublicKeyInfo; kek: KNOWN_TEXT wrapped under it; mac: MAC of KNOWN_TEXT
    proof: Base64

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the pinned public key of a signing key."""
        key = load_der_public_key(self.proof)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TokenFaultError(TokenFault.KEY_ALTERED, "a pinned public key is not on a curve")
        return key


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """Every key the token must have, by label."""

    version: int = 1
    token_label: str
    keys: dict[str, PinnedKey]

    def of_kind(self, kind: KeyKind) -> list[str]:
        """Return the labels of one kind."""
        return [label for label, key in self.keys.items() if key.policy.kind is kind]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        TokenFaultError: the file is missing or not a manifest of version 1.
    """
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TokenFaultError(
            TokenFault.MISSING, f"the token manifest {path} cannot be read: {error.strerror}"
        ) from None
    except ValidationError:
        raise TokenFaultError(
            TokenFault.DAMAGED, f"{path} is not a token manifest: restore it from a backup"
        ) from None
    if manifest.version != 1:
        raise TokenFaultError(TokenFault.DAMAGED, f"{path} is of an unknown version")
    return manifest
