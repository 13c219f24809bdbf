"""The CMS of a signature or a seal, detached (RFC 5652): PAdES and CAdES B-B and B-T.

ETSI EN 319 142-1 §6.3 and EN 319 122-1 §6.3. What is the same in every signature of a key is
encoded once (docs/adr/0009-cms-template.md); pyHanko is the reference in the tests.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.documents.certificates import parse_certificate
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.pki import der
from signer_core.protocol.to_be_signed import CmsToBeSigned, encode_cms, verify_cms

_DATA: Final = der.oid("1.2.840.113549.1.7.1")
_SIGNED_DATA: Final = der.oid("1.2.840.113549.1.7.2")
_TIMESTAMP: Final = der.oid("1.2.840.113549.1.9.16.2.14")  # RFC 3161 appendix A
# With NULL, as in the signed cmsAlgorithmProtection: the two must be the same (RFC 6211 §2).
_SHA256: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
_VERSION: Final = der.integer(1)  # content is data, the signer is named by issuer and number
_UP_TO_CERTIFICATES: Final = (
    _VERSION + der.set_of([_SHA256]) + der.sequence(_DATA)  # no content: detached
)


@dataclass(frozen=True, slots=True)
class CmsTemplate:
    """All of a CMS that depends on the certificates only."""

    before: bytes  # of SignedData, up to the SignerInfos
    signer: bytes  # of SignerInfo, up to the signed attributes

    @classmethod
    def make(cls, certificate_chain: Sequence[bytes]) -> Self:
        """Encode for certificates (DER, the signer's first).

        Raises:
            InvalidRequestError: the signer's cannot be read.
        """
        certificate = parse_certificate(certificate_chain[0])
        number = der.integer(certificate.serial_number)
        name = der.sequence(certificate.issuer.public_bytes(), number)
        certificates = der.explicit(0, *sorted(certificate_chain))  # [0] IMPLICIT SET OF
        return cls(_UP_TO_CERTIFICATES + certificates, _VERSION + name + _SHA256)

    def fill(self, attributes: bytes, signature: bytes, timestamp: bytes | None = None) -> bytes:
        """Return a ContentInfo around SET OF Attribute and an ECDSA signature (both DER).

        `timestamp`: a TimeStampToken of the signature, DER; None for level B-B.
        """
        unsigned = () if timestamp is None else (_unsigned(timestamp),)
        signed = b"\xa0" + attributes[1:]  # [0] IMPLICIT SET OF
        value = der.octets(signature)
        info = der.sequence(self.signer, signed, der.ECDSA_SHA256, value, *unsigned)
        data = der.sequence(self.before, der.set_of([info]))
        return der.sequence(_SIGNED_DATA, der.explicit(0, data))


def _unsigned(timestamp: bytes) -> bytes:
    attribute = der.sequence(_TIMESTAMP, der.set_of([timestamp]))
    return der.explicit(1, attribute)  # [1] IMPLICIT SET OF


@lru_cache(maxsize=256)
def cms_template(certificate_chain: tuple[bytes, ...]) -> CmsTemplate:
    """Return the template of a chain, made once for as long as it is in use."""
    return CmsTemplate.make(certificate_chain)


def signed_attributes(file_hash: bytes, certificate: bytes) -> bytes:
    """Encode what the key signs for one file: CMS signed attributes as SET OF, in DER.

    `file_hash`: SHA-256 over the ByteRange, 32 bytes. `certificate`: the signer's, DER. The
    attributes are contentType, messageDigest, signingCertificateV2, cmsAlgorithmProtection.

    Raises:
        InvalidRequestError: the hash has not 32 bytes.
    """
    if len(file_hash) != 32:
        raise InvalidRequestError("the file hash has not 32 bytes")
    return encode_cms(file_hash, hashlib.sha256(certificate).digest())


def assemble_cms(
    attributes: CmsToBeSigned,
    signature: bytes,
    certificate_chain: Sequence[bytes],
    timestamp: bytes | None = None,
) -> bytes:
    """Join attributes, ECDSA signature (DER) and certificates (DER, the signer's first) to a CMS.

    Returns a ContentInfo with detached SignedData, in DER; with a TimeStampToken, one of B-T.
    """
    template = cms_template(tuple(certificate_chain))
    return template.fill(attributes.der, signature, timestamp)


def verify_parts(
    der: bytes, signature: bytes, *, file_hash: bytes, certificate: bytes
) -> CmsToBeSigned:
    """Check that a signature and its attributes belong to this file and this certificate.

    1. The attributes are of this file and this certificate (`verify_cms`).
    2. The signature of the attributes verifies under the certificate's P-256 key.

    Raises:
        VerificationError: at the first that fails.
        InvalidRequestError: the certificate cannot be read.
    """
    attributes = verify_cms(  # 1
        der, file_hashes=[file_hash], certificate_sha256=hashlib.sha256(certificate).digest()
    )
    public_key = parse_certificate(certificate).public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise VerificationError("the certificate is not of an ECDSA key")
    try:
        public_key.verify(signature, attributes.der, ec.ECDSA(hashes.SHA256()))  # 2
    except InvalidSignature as error:
        raise VerificationError("the signature does not verify under the certificate") from error
    return attributes
