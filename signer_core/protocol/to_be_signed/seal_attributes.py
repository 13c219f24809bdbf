"""What a seal key signs: CMS signed attributes of two forms, and nothing else.

Of a PAdES seal: those of `cms_attributes`, without a time, which PAdES keeps in the PDF. Of a
detached CAdES seal: the same with signingTime, which EN 319 122-1 §6.3 asks for. Around a digest
and a time exactly one sequence of bytes is right, so verifying is comparing.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Final, Literal

from asn1crypto import cms, core, tsp

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed.cms_attributes import (
    ALGORITHM_PROTECTION,
    encode_cms,
    signing_certificate_value,
)

SealForm = Literal["pades", "cades"]

CLOCK_TOLERANCE: Final = timedelta(minutes=5)  # between the signer and the vault
_LAST_YEAR: Final = 2049  # of UTCTime; RFC 5652 §11.3 asks for another type from 2050 on
_UTC_TIME: Final = re.compile(rb"\d{12}Z")


@dataclass(frozen=True, slots=True)
class SealToBeSigned:
    """Attributes that `verify_seal` found to be of this seal's own certificate."""

    der: bytes  # SET OF Attribute
    digest: bytes  # 32 bytes, SHA-256 of `der`: what ECDSA signs
    form: SealForm


def encode_seal(content_digest: bytes, certificate_sha256: bytes, signing_time: datetime) -> bytes:
    """Encode the attributes of a detached CAdES seal: two SHA-256 of 32 bytes, a time in UTC.

    Raises:
        InvalidRequestError: a size is wrong, or the time is not in UTC or after 2049.
    """
    if len(content_digest) != 32 or len(certificate_sha256) != 32:
        raise InvalidRequestError("a digest of what is sealed has 32 bytes")
    if signing_time.tzinfo is not UTC or not 2000 <= signing_time.year <= _LAST_YEAR:
        raise InvalidRequestError("the time of sealing is in UTC, until 2049")
    return _fill(content_digest, certificate_sha256, f"{signing_time:%y%m%d%H%M%SZ}".encode())


def verify_seal(der: bytes, *, certificate_sha256: bytes, now: datetime) -> SealToBeSigned:
    """Check attributes before a seal key signs them.

    `certificate_sha256`: SHA-256 of the DER of the seal's certificate, 32 bytes. `now` is the
    time of whoever holds the key.

    1. The bytes are those of one of the two forms, around some digest, and of this certificate.
    2. A signing time is at most five minutes away from `now`.

    Raises:
        VerificationError: at the first that fails.
    """
    digest = hashlib.sha256(der).digest()
    if len(der) == _PADES_LENGTH:
        expected = encode_cms(der[_PADES_DIGEST], certificate_sha256)
        if compare_digest(der, expected):  # 1
            return SealToBeSigned(der, digest, "pades")
    elif len(der) == _CADES_LENGTH:
        time = der[_CADES_TIME]
        expected = _fill(der[_CADES_DIGEST], certificate_sha256, time)
        if compare_digest(der, expected):  # 1
            _check_time(time, now)  # 2
            return SealToBeSigned(der, digest, "cades")
    raise VerificationError("the bytes to be sealed are not the attributes of a seal")


def _check_time(time: bytes, now: datetime) -> None:
    try:
        # "20": strptime takes two digits from 69 on for the last century
        claimed = datetime.strptime(f"20{time.decode('ascii')}", "%Y%m%d%H%M%SZ").replace(
            tzinfo=UTC
        )
    except ValueError:
        raise VerificationError("the time of sealing is not one") from None
    if not _UTC_TIME.fullmatch(time) or abs(claimed - now) > CLOCK_TOLERANCE:
        raise VerificationError("the time of sealing is not now: are the clocks right?")


def _fill(digest: bytes, certificate: bytes, time: bytes) -> bytes:
    return b"".join((_PARTS[0], time, _PARTS[1], digest, _PARTS[2], certificate, _PARTS[3]))


def _cades_parts() -> tuple[bytes, bytes, bytes, bytes]:
    """Let asn1crypto encode the CAdES form once, around three marks.

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


_PARTS: Final = _cades_parts()
_CADES_TIME: Final = slice(len(_PARTS[0]), len(_PARTS[0]) + 13)
_CADES_DIGEST: Final = slice(
    _CADES_TIME.stop + len(_PARTS[1]), _CADES_TIME.stop + len(_PARTS[1]) + 32
)
_CADES_LENGTH: Final = sum(map(len, _PARTS)) + 13 + 32 + 32
_PADES_MARK: Final = encode_cms(b"\xaa" * 32, b"\xbb" * 32)
_PADES_LENGTH: Final = len(_PADES_MARK)
_PADES_DIGEST: Final = slice(_PADES_MARK.index(b"\xaa" * 32), _PADES_MARK.index(b"\xaa" * 32) + 32)
