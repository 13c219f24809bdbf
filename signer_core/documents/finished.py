"""What a stranger would object to in a file that we finish, without reading the file back.

`prepare_pdf` made it and `finish_pdf` changes nothing but the gap, whose CMS it has verified: what
is left is the signer's certificate and the claimed time (docs/adr/0010-finished-files.md). Files
of others are `verify_pdf`'s.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NoReturn

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
)
from cryptography.x509.verification import VerificationError as ChainError

from signer_core.documents.certificates import parse_certificate
from signer_core.documents.prepare import PreparedPdf
from signer_core.errors import VerificationError

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
_DICTIONARY_BYTES: Final = 1024  # ours has some 150 behind the gap
_SUBFILTER: Final = re.compile(rb"/SubFilter\s*/([A-Za-z0-9.]+)")
_CLAIMED: Final = re.compile(rb"/M\s*\(D(?::|\\072)(\d{14})Z\)")  # ISO 32000-1 §7.9.4, in UTC


def verify_finished(
    prepared: PreparedPdf,
    certificate_chain: Sequence[bytes],
    *,
    trust_roots: Sequence[bytes],
    now: datetime,
) -> None:
    """Check what `verify_pdf` would check beyond `finish_pdf`, for a file of `prepare_pdf`.

    Certificates are DER, the signer's first.

    1. The signature is a PAdES one and claims one time, in UTC.
    2. That time is not to come, and the certificate was valid then.
    3. The certificate is for signing documents and chains to a trusted root, now.

    Raises:
        VerificationError: at the first that fails.
        InvalidRequestError: a certificate cannot be read.
    """
    claimed_at = _claimed_at(prepared)  # 1
    certificate = parse_certificate(certificate_chain[0])
    if claimed_at > now + CLOCK_TOLERANCE:  # 2
        _refuse("it claims to be made at a time that has not come yet")
    if not certificate.not_valid_before_utc <= claimed_at <= certificate.not_valid_after_utc:
        _refuse("the certificate was not valid when it signed")
    valid_from, valid_to = _trusted_between(tuple(certificate_chain), tuple(trust_roots))  # 3
    if not valid_from <= now <= valid_to:
        _refuse("a certificate of its chain is not valid now")


def _claimed_at(prepared: PreparedPdf) -> datetime:
    start = prepared.gap.end
    behind = prepared.pdf[start : start + _DICTIONARY_BYTES]
    dictionary, end, _ = behind.partition(b"endobj")
    times = _CLAIMED.findall(dictionary)
    if not end or _SUBFILTER.findall(dictionary) != [b"ETSI.CAdES.detached"] or len(times) != 1:
        _refuse("its signature is not of the one form that is made here")
    try:
        return datetime.strptime(times[0].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        _refuse("it claims a time that is none")


@lru_cache(maxsize=1024)
def _trusted_between(
    chain: tuple[bytes, ...], trust_roots: tuple[bytes, ...]
) -> tuple[datetime, datetime]:
    """Return from when to when a chain leads to a root; only time changes that, so it is kept.

    Raises:
        VerificationError: it never does, or its first certificate is not for signing documents.
    """
    certificates = [parse_certificate(der) for der in chain]
    _check_usage(certificates[0])
    if not trust_roots:
        _refuse("no authority is trusted")
    # Names and extended usages of the web's profile are not ours: an authority for signers of
    # documents is none for TLS. In all else the CAs follow the library's own rules.
    builder = (
        PolicyBuilder()
        .store(Store([parse_certificate(der) for der in trust_roots]))
        .time(max(one.not_valid_before_utc for one in certificates))
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca().may_be_present(
                x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None
            ),
            ee_policy=ExtensionPolicy.permit_all(),
        )
    )
    try:
        found = builder.build_client_verifier().verify(certificates[0], certificates[1:]).chain
    except ChainError:
        _refuse("the certificate does not come from a trusted authority")
    return (
        max(one.not_valid_before_utc for one in found),
        min(one.not_valid_after_utc for one in found),
    )


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        _refuse("the certificate says nothing of its key's use")
    if not usage.content_commitment:
        _refuse("the certificate is not one for signing documents")


def _refuse(reason: str) -> NoReturn:
    raise VerificationError(f"the finished document does not verify: {reason}")
