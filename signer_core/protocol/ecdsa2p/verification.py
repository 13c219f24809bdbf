"""The independent verifier: finished signatures are checked by `cryptography`, not by our code."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from signer_core.errors import VerificationError
from signer_core.protocol.ecdsa2p.messages import Signature
from signer_core.protocol.ecdsa2p.session import LOW_S_MAX

_ALGORITHM = ec.ECDSA(Prehashed(SHA256()))


def to_der(signature: Signature) -> bytes:
    """Encode as ECDSA-Sig-Value, RFC 3279 §2.2.3 (at most 72 bytes)."""
    r, s = (int.from_bytes(value, "big") for value in (signature.r, signature.s))
    return encode_dss_signature(r, s)


class SignatureVerifier:
    """Verifies signatures under one public key; the key is loaded once a session."""

    __slots__ = ("_key",)

    def __init__(self, public_key: bytes) -> None:
        """Take Q, 33 bytes, of our own share record."""
        self._key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)

    def verify(self, signature: Signature, digest: bytes) -> None:
        """Check one signature over a SHA-256 digest.

        Raises:
            VerificationError: r or s is not 32 bytes, s is above q/2, or it does not verify.
        """
        if (len(signature.r), len(signature.s)) != (32, 32):
            raise VerificationError("r and s are 32 bytes each")
        if int.from_bytes(signature.s, "big") > LOW_S_MAX:
            raise VerificationError("s is not the lower one of its pair")
        try:
            self._key.verify(to_der(signature), digest, _ALGORITHM)
        except InvalidSignature:
            raise VerificationError("the signature does not verify") from None
