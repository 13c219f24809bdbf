"""Timestamp tokens (RFC 3161, RFC 5816; profile of ETSI EN 319 422), written by hand."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.pki import der
from signer_core.pki.timestamp_request import TimestampFailure, TimestampRequest

POLICY: Final = "0.4.0.2023.1.1"  # best practices policy of ETSI EN 319 421 §5.2
ACCURACY_S: Final = 1  # ETSI EN 319 422 §5.2.2 allows no more

_REJECTED: Final = 2
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_SHA256: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes one timestamp different from the next."""

    serial: int  # never used before, at most 160 bits
    at: datetime  # UTC; milliseconds count


def encode_tst_info(asked: TimestampRequest, stamp: Stamp) -> bytes:
    """Encode what is said: this imprint existed at this time, give or take one second."""
    return der.sequence(
        der.integer(1),
        der.oid(POLICY),
        asked.imprint,
        der.integer(stamp.serial),
        der.generalized_time_ms(stamp.at),
        der.sequence(der.integer(ACCURACY_S)),
        b"" if asked.nonce is None else der.integer(asked.nonce),
    )


def encode_attributes(tst_info: bytes, certificate: x509.Certificate) -> bytes:
    """Encode what the unit's key is to sign with ECDSA and SHA-256: attributes as SET OF."""
    certificate_hash = hashlib.sha256(der.certificate_der(certificate)).digest()
    essential = der.sequence(der.octets(certificate_hash))  # ESSCertIDv2, of SHA-256
    return der.set_of(
        (
            _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
            _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(tst_info).digest())),
            _attribute(_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(essential))),
        )
    )


def assemble_granted(
    tst_info: bytes,
    attributes: bytes,
    signature: bytes,
    certificate: x509.Certificate,
    included: Sequence[x509.Certificate],
) -> bytes:
    """Join the parts to a TimeStampResp; `included`: the certificates that were asked for."""
    issuer = certificate.issuer.public_bytes(Encoding.DER)
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(issuer, der.integer(certificate.serial_number)),
        _SHA256,
        b"\xa0" + attributes[1:],  # [0] in the place of SET OF
        der.ECDSA_SHA256,
        der.octets(signature),
    )
    chain = sorted(map(der.certificate_der, included))
    signed_data = der.sequence(
        der.integer(3),
        der.set_of((_SHA256,)),
        der.sequence(der.oid(_TST_INFO), der.explicit(0, der.octets(tst_info))),
        der.explicit(0, *chain) if chain else b"",
        der.set_of((signer_info,)),
    )
    token = der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed_data))
    return der.sequence(der.sequence(der.integer(0)), token)


def rejection(failure: TimestampFailure) -> bytes:
    """Encode a TimeStampResp without a timestamp."""
    octets = bytearray(failure // 8 + 1)
    octets[-1] = 0x80 >> failure % 8
    unused = 7 - failure % 8  # a named bit list ends with its last bit set (X.690 §11.2.2)
    status = der.sequence(der.integer(_REJECTED), der.bits(bytes(octets), unused))
    return der.sequence(status)


def _attribute(dotted: str, value: bytes) -> bytes:
    return der.sequence(der.oid(dotted), der.set_of((value,)))
