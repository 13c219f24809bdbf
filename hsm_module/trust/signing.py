"""A signature of the token, checked before anybody sees it."""

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hsm_module.token.port import KeyLabel, Token
from signer_core.errors import VerificationError

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


async def sign(token: Token, label: KeyLabel, signer: x509.Certificate, data: bytes) -> bytes:
    """Sign SHA-256 of `data` with ECDSA; return DER.

    A token gives back a wrong signature without a word when its key file is damaged.

    Raises:
        VerificationError: the key is not that of the certificate.
    """
    digest = hashlib.sha256(data).digest()
    signature = await token.sign_digest(label, digest)
    public_key = signer.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise VerificationError("the certificate is not of an ECDSA key")
    try:
        public_key.verify(signature, digest, _PREHASHED)
    except InvalidSignature:
        raise VerificationError("the token's key is not that of the certificate") from None
    return signature
