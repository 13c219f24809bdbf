"""The CMS of a PAdES B-B signature (RFC 5652, ETSI EN 319 142-1 §6.3)."""

import hashlib
from collections.abc import Sequence

from asn1crypto import algos, cms, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.documents.certificates import parse_certificate
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed import CmsToBeSigned, encode_cms, verify_cms


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
    attributes: CmsToBeSigned, signature: bytes, certificate_chain: Sequence[bytes]
) -> bytes:
    """Join attributes, ECDSA signature (DER) and certificates (DER, the signer's first) to a CMS.

    Returns a ContentInfo with detached SignedData, in DER.
    """
    chain = [x509.Certificate.load(certificate) for certificate in certificate_chain]
    signer_info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.IssuerAndSerialNumber(
                {"issuer": chain[0].issuer, "serial_number": chain[0].serial_number}
            ),
            "digest_algorithm": _sha256(),
            "signed_attrs": cms.CMSAttributes.load(attributes.der),
            "signature_algorithm": _ecdsa(),
            "signature": signature,
        }
    )
    signed_data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [_sha256()],
            "encap_content_info": {"content_type": "data"},
            "certificates": chain,
            "signer_infos": [signer_info],
        }
    )
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed_data}).dump()
    return der


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


def _sha256() -> algos.DigestAlgorithm:
    return algos.DigestAlgorithm({"algorithm": "sha256"})


def _ecdsa() -> algos.SignedDigestAlgorithm:
    return algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
