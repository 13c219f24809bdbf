"""A world of seals in memory: a vault, trust services that can be away, an organisation."""

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.errors import DeniedError, NotFoundError, UnavailableError
from signer_core.pki import der, ocsp, timestamp
from signer_core.pki.crl import CrlFrame, encode_list
from signer_core.pki.ocsp_request import parse_ocsp_request
from signer_core.pki.organisation import Organisation
from signer_core.pki.seal import issue_seal
from signer_core.pki.status import CertificateStatus, Reason, Status
from signer_core.pki.timestamp_request import TimestampRequest, parse_timestamp_request
from signer_core.pki.trust import issue_responder, issue_timestamping
from signer_core.protocol.to_be_signed import verify_seal
from signer_core.seals.ports import SealCertificate
from signer_core.trust.ports import Crl
from tests.fakes import pki

ORGANISATION = Organisation("Вигаданий портал документів", "00000017")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Pki:
    """Root, issuing CA, and the three ends under it, issued a day ago."""

    def __init__(self, at: datetime | None = None, addresses=pki.ADDRESSES) -> None:
        at = (at or now()) - timedelta(days=1)
        self.cas = pki.make_hierarchy(at)
        issuing = self.cas.issuing
        self.seal_key, self.tsa_key, self.ocsp_key = (pki.new_key() for _ in range(3))
        self.seal = issue_seal(
            issuing,
            pki.issuance(at),
            self.seal_key.public_key(),
            ORGANISATION,
            pki.ukraine(),
            addresses,
        )
        self.tsa = issue_timestamping(
            issuing, pki.issuance(at), self.tsa_key.public_key(), pki.ADDRESSES
        )
        self.responder = issue_responder(issuing, pki.issuance(at), self.ocsp_key.public_key())

    @property
    def root(self) -> bytes:
        return to_der(self.cas.root.certificate)

    @property
    def chain(self) -> tuple[bytes, ...]:
        return to_der(self.seal), to_der(self.cas.issuing.certificate)


class FakeTrust:
    """Port `TrustServices`, signed by plain keys; each part can be away."""

    def __init__(self, made: Pki) -> None:
        self.pki = made
        self.tsa_away = self.ocsp_away = False
        self.seal_status = CertificateStatus(Status.GOOD)
        self.stamps_at = now
        self.spoil = lambda token: token

    async def certificate(self, name: str) -> bytes:
        if name != "root":
            raise NotFoundError(name)
        return self.pki.root

    async def crl(self, issuer: str, known_number: int = 0) -> Crl | None:
        root = self.pki.cas.root
        if self.ocsp_away or issuer != "root":
            raise UnavailableError("away")
        at = now()
        frame = CrlFrame(root.certificate, 1, at - timedelta(hours=1), at + timedelta(days=90))
        body = encode_list(frame, ())
        return Crl(1, der.signed(body, sign(root.key, body)))

    async def answer_ocsps(self, requests):
        return [await self.answer_ocsp(one) for one in requests]

    async def answer_ocsp(self, request: bytes) -> bytes:
        if self.ocsp_away:
            raise UnavailableError("away")
        asked = parse_ocsp_request(request).certificates
        at = now()
        validity = ocsp.Validity(at - timedelta(minutes=1), at + timedelta(hours=1))
        singles = [ocsp.Single(one.der, self._status(one)) for one in asked]
        data = ocsp.encode_response_data(self.pki.responder, singles, validity)
        return ocsp.assemble_answer(data, sign(self.pki.ocsp_key, data), [self.pki.responder])

    def _status(self, asked) -> CertificateStatus:
        is_seal = asked.serial == self.pki.seal.serial_number
        return self.seal_status if is_seal else CertificateStatus(Status.GOOD)

    async def timestamp(self, request: bytes) -> bytes:
        if self.tsa_away:
            raise UnavailableError("away")
        asked = parse_timestamp_request(request)
        assert isinstance(asked, TimestampRequest)
        stamp = timestamp.Stamp(x509.random_serial_number(), self.stamps_at())
        info = timestamp.encode_tst_info(asked, stamp)
        attributes = timestamp.encode_attributes(info, self.pki.tsa)
        included = (self.pki.tsa, self.pki.cas.issuing.certificate)
        return self.spoil(
            timestamp.assemble_granted(
                info, attributes, sign(self.pki.tsa_key, attributes), self.pki.tsa, included
            )
        )

    def revoke_seal(self) -> None:
        at_s = int(now().timestamp())
        self.seal_status = CertificateStatus(Status.REVOKED, Reason.KEY_COMPROMISE, at_s)


class FakeVaultSeals:
    """Port `VaultSeals`: one seal, "portal", for "portal.internal"."""

    def __init__(self, made: Pki) -> None:
        self.pki = made
        self.calls: list[int] = []

    async def get(self, seal_id, callers) -> SealCertificate:
        if seal_id != "portal" or "portal.internal" not in callers:
            raise DeniedError("this caller may not use this seal")
        return SealCertificate(self.pki.chain)

    async def sign(self, seal_id, callers, attributes) -> tuple[bytes, ...]:
        chain = (await self.get(seal_id, callers)).chain
        certificate_sha256 = hashlib.sha256(chain[0]).digest()
        for one in attributes:
            verify_seal(one, certificate_sha256=certificate_sha256, now=now())
        self.calls.append(len(attributes))
        return tuple(sign(self.pki.seal_key, one) for one in attributes)


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def to_der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
