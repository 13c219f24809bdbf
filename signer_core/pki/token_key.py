"""A private key that signs elsewhere, in the shape `cryptography`'s builders want."""

import hashlib
from collections.abc import Callable
from typing import Never

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError


class TokenKey(ec.EllipticCurvePrivateKey):
    """A P-256 key pair whose private half stays in a token.

    `sign_digest` takes a SHA-256 digest (32 bytes) and returns a DER signature. Everything that
    would need the private value raises `InvalidRequestError`.
    """

    def __init__(
        self, public_key: ec.EllipticCurvePublicKey, sign_digest: Callable[[bytes], bytes]
    ) -> None:
        if not isinstance(public_key.curve, ec.SECP256R1):
            raise InvalidRequestError("a token key is on P-256")
        self._public_key = public_key
        self._sign_digest = sign_digest

    def sign(
        self,
        data: bytes | bytearray | memoryview,
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """Hash `data` with SHA-256 and let the token sign the digest; return DER."""
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise InvalidRequestError("a token key signs SHA-256 only")
        return self._sign_digest(hashlib.sha256(data).digest())

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        return self._public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """256 bits."""
        return self._public_key.key_size

    # ARG002, A002 below: the base class names these parameters; a refusal uses none of them
    def exchange(
        self,
        algorithm: ec.ECDH,  # noqa: ARG002  the interface's
        peer_public_key: ec.EllipticCurvePublicKey,  # noqa: ARG002  the interface's
    ) -> Never:
        """Refuse: a signing key does not agree on keys."""
        raise InvalidRequestError("a token key only signs")

    def private_numbers(self) -> Never:
        """Refuse: the private value stays in the token."""
        raise InvalidRequestError("the private value stays in the token")

    def private_bytes(
        self,
        encoding: serialization.Encoding,  # noqa: ARG002  the interface's
        format: serialization.PrivateFormat,  # noqa: A002, ARG002  the interface's
        encryption_algorithm: serialization.KeySerializationEncryption,  # noqa: ARG002  as above
    ) -> Never:
        """Refuse: the private value stays in the token."""
        raise InvalidRequestError("the private value stays in the token")

    def __copy__(self) -> "TokenKey":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "TokenKey":
        return self
