"""CMS signed attributes of a detached CAdES signature or seal, B-B (ETSI EN 319 122-1 §6.3).

Those of `cms_attributes` with signingTime, which PAdES keeps in the PDF. Around a digest, a
certificate and a time exactly one sequence of bytes is right, so verifying is comparing.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Final

from asn1crypto import cms, core, tsp

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed.cms_attributes import (
    ALGORITHM_PROTECTION,
    CmsToBeSigned,
    signing_certificate_value,
)

CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # between the signer and whoever holds the key
OLDEST: Final = timedelta(days=1)  # a request waits for its person that long, signing/rules.py
_LAST_YEAR: Final = 2049  # of UTCTime; RFC 5652 §11.3 asks for another type from 2050 on
_UTC_TIME: Final = re.compile(rb"\d{12}Z")


def encode_cades(content_digest: bytes, certificate_sha256: bytes, signing_time: datetime) -> bytes:
    """Encode the attributes: two SHA-256 of 32 bytes, a time in UTC.

    Raises:
        InvalidRequestError: a size is wrong, or the time is not in UTC or after 2049.
    """
    if len(content_digest) != 32 or len(certificate_sha256) != 32:
        raise InvalidRequestError("a digest of what is signed has 32 bytes")
    if signing_time.tzinfo is not UTC or not 2000 <= signing_time.year <= _LAST_YEAR:
        raise InvalidRequestError("the time of signing is in UTC, until 2049")
    return _fill(content_digest, certificate_sha256, f"{signing_time:%y%m%d%H%M%SZ}".encode())


def verify_cades(
    der: bytes, *, file_hash: bytes, certificate_sha256: bytes, now: datetime
) -> CmsToBeSigned:
    """Check a person's signed attributes against one file of a request and the key's certificate.

    `file_hash`, `certificate_sha256`: SHA-256, 32 bytes each. `now` is the time of whoever checks.

    1. The bytes are those around this hash, this certificate and some time.
    2. That time is at most a day ago, and at most five minutes ahead.

    Raises:
        VerificationError: at the first that fails.
    """
    digest, time = read_cades(der, certificate_sha256)
    if not compare_digest(digest, file_hash):  # 1
        raise VerificationError("the bytes to be signed belong to no file of this request")
    if not -CLOCK_TOLERANCE <= now - time <= OLDEST + CLOCK_TOLERANCE:  # 2
        raise VerificationError("the time of signing is not now: are the clocks right?")
    return CmsToBeSigned(der, hashlib.sha256(der).digest(), file_hash)


def read_cades(der: bytes, certificate_sha256: bytes) -> tuple[bytes, datetime]:
    """Return the digest (32 bytes) and the time of attributes under this certificate.

    Raises:
        VerificationError: they are not exactly ours, whatever the digest and the time.
    """
    if len(der) != _LENGTH:
        raise VerificationError("the bytes to be signed are not those of a detached signature")
    time = der[_TIME]
    if not compare_digest(der, _fill(der[_DIGEST], certificate_sha256, time)):
        raise VerificationError("the bytes to be signed are of another certificate or form")
    return der[_DIGEST], _read_time(time)


def _read_time(time: bytes) -> datetime:
    if not _UTC_TIME.fullmatch(time):
        raise VerificationError("the time of signing is not one")
    try:
        # "20": strptime takes two digits from 69 on for the last century
        return datetime.strptime(f"20{time.decode('ascii')}", "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise VerificationError("the time of signing is not one") from None


def _fill(digest: bytes, certificate: bytes, time: bytes) -> bytes:
    return b"".join((_PARTS[0], time, _PARTS[1], digest, _PARTS[2], certificate, _PARTS[3]))


def _parts() -> tuple[bytes, bytes, bytes, bytes]:
    """Let asn1crypto encode the form once, around three marks.

    Their order does not depend on what is filled in: DER orders by the lengths that stand before.
    """
    time, digest, certificate = datetime(2011, 11, 11, 11, 11, 11, tzinfo=UTC), b"\xaa", b"\xbb"
    protection = cms.CMSAlgorithmProtection.load(ALGORITHM_PROTECTION)
    names = tsp.SigningCertificateV2.load(signing_certificate_value(certificate * 32))
    values = {
        "content_type": cms.ContentType("data"),
        "signing_time": cms.Time({"utc_time": core.UTCTime(time)}),
        "cms_algorithm_protection": protection,
        "message_digest": core.OctetString(digest * 32),
        "signing_certificate_v2": names,
    }
    der = cms.CMSAttributes(
        [cms.CMSAttribute({"type": kind, "values": [value]}) for kind, value in values.items()]
    ).dump()
    before, rest = der.split(b"111111111111Z")
    between, rest = rest.split(digest * 32)
    last, after = rest.split(certificate * 32)
    return before, between, last, after


_PARTS: Final = _parts()
_TIME: Final = slice(len(_PARTS[0]), len(_PARTS[0]) + 13)
_DIGEST: Final = slice(_TIME.stop + len(_PARTS[1]), _TIME.stop + len(_PARTS[1]) + 32)
_LENGTH: Final = sum(map(len, _PARTS)) + 13 + 32 + 32
