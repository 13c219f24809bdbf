"""A TimeStampToken before it goes into a document (RFC 3161 §2.4.2)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, NoReturn

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from signer_core.documents.certificates import parse_certificate
from signer_core.errors import VerificationError

MAX_BYTES: Final = 8 * 1024  # ours takes 3 KiB, with the TSA's chain
_CLOCK_TOLERANCE: Final = timedelta(minutes=5)


def verify_timestamp(
    token: bytes, digest: bytes, *, issuers: Sequence[bytes], now: datetime
) -> Sequence[bytes]:
    """Check that a token (DER) is of `digest` (SHA-256, 32 bytes), of now, by a TSA of ours.

    `issuers`: certificates (DER) of the authorities that certify TSAs. Returns the certificates
    in the token, the TSA's first; whoever believes the document checks their revocation.

    1. It is one SignedData with a TSTInfo and one signer, at most 8 KiB.
    2. Its imprint is the digest.
    3. Its time is at most five minutes away from `now`.
    4. Its signed attributes are of this TSTInfo and verify under a certificate in it.
    5. That certificate is for timestamps only, issued by one of `issuers`, and valid at the time.

    Raises:
        VerificationError: at the first that fails.
    """
    try:
        signed, info = _parse(token)  # 1
        imprint = info["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        hashed = imprint["hashed_message"].native
        made_at = info["gen_time"].native
        if algorithm != "sha256" or not compare_digest(hashed, digest):  # 2
            _refuse("is of something else")
        if abs(made_at - now) > _CLOCK_TOLERANCE:  # 3
            _refuse("is of another time: are the clocks right?")
        certificates = [chosen.chosen.dump() for chosen in signed["certificates"]]
        tsa = _verify_signature(signed, certificates)  # 4
    # What asn1crypto raises on a type it did not expect depends on where it meets it.
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise VerificationError("the timestamp cannot be read") from error
    _verify_tsa(parse_certificate(tsa), issuers, made_at)  # 5
    return [tsa, *(one for one in certificates if one != tsa)]


def _parse(token: bytes) -> tuple[Any, Any]:
    if len(token) > MAX_BYTES:
        _refuse("is too large")
    content = cms.ContentInfo.load(token, strict=True)
    if content["content_type"].native != "signed_data":
        _refuse("is none")
    signed = content["content"]
    info = signed["encap_content_info"]["content"].parsed
    if not isinstance(info, tsp.TSTInfo) or len(signed["signer_infos"]) != 1:
        _refuse("is none")
    return signed, info


def _verify_signature(signed: Any, certificates: Sequence[bytes]) -> bytes:
    signer = signed["signer_infos"][0]
    attributes = signer["signed_attrs"]
    content = bytes(signed["encap_content_info"]["content"])
    digests = [a["values"][0].native for a in attributes if a["type"].native == "message_digest"]
    if signer["digest_algorithm"]["algorithm"].native != "sha256":
        _refuse("is made with another algorithm than SHA-256")
    if digests != [hashlib.sha256(content).digest()]:
        _refuse("is not of its own content")
    signature, signed_bytes = signer["signature"].native, attributes.untag().dump()
    signers = [c for c in certificates if _verifies(parse_certificate(c), signature, signed_bytes)]
    if len(signers) != 1:
        _refuse("is not signed by a certificate in it")
    return signers[0]


def _verifies(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _verify_tsa(tsa: x509.Certificate, issuers: Sequence[bytes], made_at: datetime) -> None:
    try:
        usage = tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        _refuse("is not by an authority for timestamps")
    if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not usage.critical:
        _refuse("is not by an authority for timestamps")
    if not any(_issued_by(tsa, parse_certificate(issuer)) for issuer in issuers):
        _refuse("is not by an authority that is trusted here")
    if not tsa.not_valid_before_utc <= made_at <= tsa.not_valid_after_utc:
        _refuse("is by an authority that has ended")


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _refuse(what: str) -> NoReturn:
    raise VerificationError(f"the timestamp {what}")
