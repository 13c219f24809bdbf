"""Timestamps and answers about revocation, from the trust services."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from asn1crypto import cms, parser, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from signer_core.documents import Evidence
from signer_core.errors import (
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from signer_core.pki import der
from signer_core.trust.ports import TrustServices

_SHA256: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
_GRANTED: Final = {"granted", "granted_with_mods"}
_ROOT: Final = "root"


@dataclass(frozen=True, slots=True)
class TrustTimestamper:
    """Port `Timestamper` on the trust services."""

    services: TrustServices

    async def timestamp(self, digest: bytes) -> bytes:
        """See `Timestamper.timestamp`."""
        nonce = secrets.randbits(64)
        answer = await self.services.timestamp(_timestamp_request(digest, nonce))
        try:
            return _token(answer, nonce)
        # What asn1crypto raises on a type it did not expect depends on where it meets it.
        except (ValueError, TypeError, AttributeError, LookupError):
            raise VerificationError("the timestamp cannot be read") from None


def _token(answer: bytes, nonce: int) -> bytes:
    # The token's bytes are cut out: to let asn1crypto encode it again takes 50 ms.
    contents: bytes = parser.parse(answer, strict=True)[4]
    status = contents[: parser.peek(contents)]
    if tsp.PKIStatusInfo.load(status, strict=True)["status"].native not in _GRANTED:
        raise UnavailableError("the timestamp authority gives no timestamp now")
    token = contents[len(status) :]
    signed = cms.ContentInfo.load(token, strict=True)["content"]
    if signed["encap_content_info"]["content"].parsed["nonce"].native != nonce:
        raise VerificationError("the timestamp is not the answer to this request")
    return token


def _timestamp_request(digest: bytes, nonce: int) -> bytes:
    imprint = der.sequence(_SHA256, der.octets(digest))
    return der.sequence(der.integer(1), imprint, der.integer(nonce), der.BOOLEAN_TRUE)


@dataclass(frozen=True, slots=True)
class TrustRevocation:
    """Port `RevocationSource` on the trust services: OCSP for the leaf, the root's CRL above."""

    services: TrustServices

    async def evidence(self, chain: Sequence[bytes]) -> Evidence:
        """See `RevocationSource.evidence`."""
        leaf, issuer = (x509.load_der_x509_certificate(one) for one in chain[:2])
        sha1 = hashes.SHA1()  # noqa: S303  names the issuer (RFC 5019 §2.1.1), protects nothing
        builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, sha1)
        request = builder.build().public_bytes(Encoding.DER)
        (answer,) = await self.services.answer_ocsps([request])
        _check_good(answer, leaf.serial_number)
        root, revoked = await self._root()
        return Evidence((*chain, root), (answer,), (revoked,))

    async def _root(self) -> tuple[bytes, bytes]:
        """Return the root's certificate and its CRL, which says that its authorities are good."""
        try:
            root = await self.services.certificate(_ROOT)
            newest = await self.services.crl(_ROOT)
        except (NotFoundError, InvalidRequestError):
            raise UnavailableError("the root's CRL is not there") from None
        if newest is None:
            raise UnavailableError("the root's CRL is not there")
        return root, newest.der


def _check_good(answer: bytes, serial: int) -> None:
    try:
        parsed = ocsp.load_der_ocsp_response(answer)
        if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise UnavailableError("nobody says now whether the certificate is good")
        same = parsed.serial_number == serial
        good = parsed.certificate_status is ocsp.OCSPCertStatus.GOOD
    except ValueError:
        raise VerificationError("the answer about revocation cannot be read") from None
    if not (same and good):
        raise VerificationError("the certificate is not good any more")
