"""The certificate request that a new key signs first (RFC 2986), about nothing but the key.

The subject is empty: a CA takes it from the enrolment authorisation. Around a given public key
exactly one sequence of bytes is right, so verifying is comparing.
"""

import hashlib
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from asn1crypto import algos, csr, keys, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError, VerificationError

_COMPRESSED: Final = (0x02, 0x03)


@dataclass(frozen=True, slots=True)
class Pkcs10ToBeSigned:
    """A CertificationRequestInfo that `verify_pkcs10` found to name this key and nothing else."""

    der: bytes
    digest: bytes  # 32 bytes, SHA-256 of `der`: what ECDSA signs


def make_pkcs10_info(public_key: bytes) -> bytes:
    """Encode the CertificationRequestInfo of `public_key` (33 bytes, compressed P-256 point).

    Version 1, empty subject, named curve, uncompressed point, no attributes.

    Raises:
        InvalidRequestError: the key is not a compressed point of P-256.
    """
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": x509.Name.build({}),
            "subject_pk_info": keys.PublicKeyInfo.load(_subject_public_key_info(public_key)),
            "attributes": csr.CRIAttributes([]),
        }
    )
    der: bytes = info.dump()
    return der


def _subject_public_key_info(public_key: bytes) -> bytes:
    # OpenSSL takes uncompressed and hybrid points as well; the protocol has one form.
    if len(public_key) != 33 or public_key[0] not in _COMPRESSED:
        raise InvalidRequestError("the public key is not a compressed point")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    except ValueError as error:
        raise InvalidRequestError("the public key is not on P-256") from error
    return point.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def verify_pkcs10(der: bytes, *, public_key: bytes) -> Pkcs10ToBeSigned:
    """Check that `der` is the CertificationRequestInfo of `public_key` (33 bytes), byte for byte.

    Raises:
        VerificationError: it says anything else.
        InvalidRequestError: the key is not a compressed point of P-256.
    """
    if not compare_digest(der, make_pkcs10_info(public_key)):
        raise VerificationError("the certificate request is not about this key alone")
    return Pkcs10ToBeSigned(der, hashlib.sha256(der).digest())


def assemble_pkcs10(info: bytes, signature_der: bytes) -> bytes:
    """Join a CertificationRequestInfo and its ECDSA signature (DER) to a PKCS#10 request (DER).

    Raises:
        InvalidRequestError: `info` is not a CertificationRequestInfo.
    """
    try:
        parsed = csr.CertificationRequestInfo.load(info, strict=True)
        request: bytes = csr.CertificationRequest(
            {
                "certification_request_info": parsed,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": signature_der,
            }
        ).dump()
    except (ValueError, TypeError) as error:
        raise InvalidRequestError("the bytes are not a certificate request") from error
    return request
