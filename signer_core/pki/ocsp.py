"""OCSP answers (RFC 6960; RFC 5019 for those that are made ahead), written by hand.

`cryptography` builds answers about one certificate only, and asks for a key that is not async.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final

from cryptography import x509

from signer_core.pki import der
from signer_core.pki.issuing import subject_key_identifier
from signer_core.pki.status import REASON_CODES, CertificateStatus, Status

_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
_GOOD: Final = b"\x80\x00"
_UNKNOWN: Final = b"\x82\x00"


class OcspError(IntEnum):
    """An answer without a status, and without a signature (RFC 6960 §4.2.1)."""

    MALFORMED = 1
    INTERNAL = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6  # no certificate of an authority of ours (RFC 5019 §2.2.3)


@dataclass(frozen=True, slots=True)
class Validity:
    """When a status was known to be so, and until when nobody need ask again."""

    this_update: datetime  # UTC
    next_update: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Single:
    """The answer about one certificate."""

    certificate_id: bytes  # DER of CertID, as asked
    status: CertificateStatus | None  # None: unknown, we never issued it


def error_answer(error: OcspError) -> bytes:
    """Encode an answer that says only what is wrong (5 bytes)."""
    return der.sequence(der.enumerated(error))


def encode_response_data(
    responder: x509.Certificate,
    answers: Sequence[Single],
    validity: Validity,
    nonce: bytes | None = None,
) -> bytes:
    """Encode what the responder's key is to sign with ECDSA and SHA-256.

    `nonce`: the bytes of the request, 1 to 128 of them (RFC 9654).
    """
    extensions = b""
    if nonce is not None:
        extensions = der.explicit(1, der.sequence(der.extension(NONCE, der.octets(nonce))))
    return der.sequence(
        der.explicit(2, der.octets(subject_key_identifier(responder))),  # its key's SHA-1
        der.generalized_time(validity.this_update),
        der.sequence(*(_encode_single(one, validity) for one in answers)),
        extensions,
    )


def assemble_answer(
    response_data: bytes, signature: bytes, certificates: Sequence[x509.Certificate]
) -> bytes:
    """Join response data, signature (DER) and the certificates that a verifier may lack."""
    chain = b"".join(map(der.certificate_der, certificates))
    more = (der.explicit(0, der.sequence(chain)),) if chain else ()
    basic = der.signed(response_data, signature, *more)
    return der.sequence(
        der.enumerated(0), der.explicit(0, der.sequence(der.oid(_BASIC), der.octets(basic)))
    )


def _encode_single(one: Single, validity: Validity) -> bytes:
    return der.sequence(
        one.certificate_id,
        _encode_status(one.status),
        der.generalized_time(validity.this_update),
        der.explicit(0, der.generalized_time(validity.next_update)),
    )


def _encode_status(known: CertificateStatus | None) -> bytes:
    if known is None:
        return _UNKNOWN
    if known.status is Status.GOOD:
        return _GOOD
    code = REASON_CODES.get(known.reason)
    reason = b"" if code is None else der.explicit(0, der.enumerated(code))
    since = datetime.fromtimestamp(known.changed_at_s, UTC)
    return der.explicit(1, der.generalized_time(since), reason)
