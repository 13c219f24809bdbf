"""Detached CAdES seals, B-B and B-T, over bytes that are somewhere else (EN 319 122-1 §6.3)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.documents.certificates import parse_certificate
from signer_core.documents.cms import cms_template
from signer_core.errors import VerificationError
from signer_core.protocol.to_be_signed import encode_cades


def detached_attributes(content_digest: bytes, certificate: bytes, signing_time: datetime) -> bytes:
    """Encode what a seal key signs: SET OF Attribute, DER. `content_digest` is SHA-256.

    Raises:
        InvalidRequestError: the digest has not 32 bytes, or the time is not in UTC.
    """
    return encode_cades(content_digest, hashlib.sha256(certificate).digest(), signing_time)


def finish_detached(
    attributes: bytes,
    signature: bytes,
    certificate_chain: Sequence[bytes],
    timestamp: bytes | None = None,
) -> bytes:
    """Return the CMS (DER); a signature that does not verify never gets into one.

    The chain is DER, the seal's first, without the root. `timestamp`: a TimeStampToken of the
    signature that `verify_timestamp` accepted, for level B-T.

    Raises:
        VerificationError: the signature is not of these attributes and this certificate.
    """
    key = parse_certificate(certificate_chain[0]).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise VerificationError("the certificate is not of an ECDSA key")
    try:
        key.verify(signature, attributes, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise VerificationError("the signature does not verify under the certificate") from error
    return cms_template(tuple(certificate_chain)).fill(attributes, signature, timestamp)
