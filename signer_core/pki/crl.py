"""Certificate revocation lists (RFC 5280 §5), written in one pass.

`add_revoked_certificate` of `cryptography` copies its list for every entry: twice as many entries
take four times as long (benchmarks/trust.py). Here an entry is some 50 bytes, made once and kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.pki import der
from signer_core.pki.issuing import subject_key_identifier
from signer_core.pki.status import REASON_CODES, CertificateStatus

_CRL_NUMBER: Final = "2.5.29.20"
_REASON: Final = "2.5.29.21"
_AUTHORITY_KEY: Final = "2.5.29.35"
_REASON_EXTENSIONS: Final = {
    reason: der.sequence(der.extension(_REASON, der.enumerated(code)))
    for reason, code in REASON_CODES.items()
}


@dataclass(frozen=True, slots=True)
class CrlFrame:
    """What a CRL says beside its entries."""

    issuer: x509.Certificate
    number: int  # rises with every CRL of the issuer, at most 20 octets
    this_update: datetime  # UTC
    next_update: datetime  # UTC


def encode_entry(serial: bytes, status: CertificateStatus) -> bytes:
    """Encode one certificate that is not good; `serial`: big-endian, no zeros before it."""
    sign = b"\0" if serial[0] & 0x80 else b""  # an INTEGER below zero otherwise
    return der.sequence(
        der.tlv(0x02, sign, serial),
        _revoked_at(status.changed_at_s),
        _REASON_EXTENSIONS.get(status.reason, b""),
    )


@lru_cache(4096)
def _revoked_at(unix_time_s: int) -> bytes:
    return der.time(datetime.fromtimestamp(unix_time_s, UTC))


def encode_list(frame: CrlFrame, entries: Iterable[bytes]) -> bytes:
    """Encode what is to be signed with ECDSA and SHA-256: entries of `encode_entry`."""
    revoked = b"".join(entries)
    extensions = der.sequence(
        der.extension(
            _AUTHORITY_KEY, der.sequence(der.tlv(0x80, subject_key_identifier(frame.issuer)))
        ),
        der.extension(_CRL_NUMBER, der.integer(frame.number)),
    )
    return der.sequence(
        der.integer(1),  # version 2
        der.ECDSA_SHA256,
        frame.issuer.subject.public_bytes(Encoding.DER),
        der.time(frame.this_update),
        der.time(frame.next_update),
        der.sequence(revoked) if revoked else b"",  # absent, never empty (§5.1.2.6)
        der.explicit(0, extensions),
    )
