"""What an OCSP request asks (RFC 6960 §4.1); it may come from anybody."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from asn1crypto import core, ocsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.errors import InvalidRequestError
from signer_core.pki.ocsp import NONCE

MAX_REQUEST_BYTES: Final = 4096
MAX_CERTIFICATES: Final = 16  # in one request; RFC 5019 clients ask for one
MAX_NONCE_BYTES: Final = 128  # RFC 9654 §2.1
HASHES: Final = ("sha1", "sha256", "sha384", "sha512")  # SHA-1 only names an issuer here


@dataclass(frozen=True, slots=True)
class CertificateId:
    """Which certificate is asked for."""

    der: bytes  # CertID, as asked
    issuer: "IssuerHashes"
    serial: int


@dataclass(frozen=True, slots=True)
class IssuerHashes:
    """How a request names an authority."""

    algorithm: str  # of HASHES
    name: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """A whole request; a signature on it is not looked at, everybody may ask."""

    certificates: tuple[CertificateId, ...]  # 1 to 16
    nonce: bytes | None  # 1 to 128 bytes


def parse_ocsp_request(data: bytes) -> OcspRequest:
    """Parse a request of at most 4 KiB.

    Raises:
        InvalidRequestError: no request, too large, or it demands what we do not know.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise InvalidRequestError("an OCSP request has at most 4 KiB")
    try:
        asked = ocsp.OCSPRequest.load(data, strict=True)["tbs_request"]
        ids = tuple(_certificate_id(one) for one in asked["request_list"])
        nonce = _nonce(asked["request_extensions"])
        for one in asked["request_list"]:
            _refuse_critical(_extensions(one["single_request_extensions"]))
    # What asn1crypto raises on a type it did not expect depends on where it meets it.
    except (ValueError, TypeError, AttributeError, LookupError):
        raise InvalidRequestError("this is no OCSP request") from None
    if not 0 < len(ids) <= MAX_CERTIFICATES:
        raise InvalidRequestError("an OCSP request is about 1 to 16 certificates")
    return OcspRequest(ids, nonce)


def issuer_hashes(authority: x509.Certificate) -> Iterator[IssuerHashes]:
    """Yield every way to name an authority."""
    name = authority.subject.public_bytes(Encoding.DER)
    key = authority.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for algorithm in HASHES:
        digests = (hashlib.new(algorithm, data).digest() for data in (name, key))
        yield IssuerHashes(algorithm, *digests)


def _certificate_id(one: ocsp.Request) -> CertificateId:
    asked = one["req_cert"]
    issuer = IssuerHashes(
        asked["hash_algorithm"]["algorithm"].native,
        asked["issuer_name_hash"].native,
        asked["issuer_key_hash"].native,
    )
    return CertificateId(asked.dump(), issuer, asked["serial_number"].native)


def _nonce(extensions: core.Asn1Value) -> bytes | None:
    found = _extensions(extensions)
    asked = [value for kind, _, value in found if kind == NONCE]
    _refuse_critical([one for one in found if one[0] != NONCE])
    if not asked:
        return None
    (value,) = asked
    nonce: bytes = core.OctetString.load(value, strict=True).native
    if not 0 < len(nonce) <= MAX_NONCE_BYTES:
        raise ValueError("a nonce has 1 to 128 bytes")
    return nonce


def _extensions(extensions: core.Asn1Value) -> list[tuple[str, bool, bytes]]:
    if isinstance(extensions, core.Void):
        return []
    return [
        (one["extn_id"].dotted, one["critical"].native, one["extn_value"].contents)
        for one in extensions
    ]


def _refuse_critical(extensions: list[tuple[str, bool, bytes]]) -> None:
    if any(critical for _, critical, _ in extensions):
        raise ValueError("an extension that we do not know must not be ignored")
