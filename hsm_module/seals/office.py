"""Signing with seal keys: for whom the rule allows, what the vault has parsed, audited."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.authorities import ISSUING
from hsm_module.certificates import CertificateOffice
from hsm_module.seals.rules import SealRules
from hsm_module.storage.seals import SealRule
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.store import Store
from hsm_module.token.port import KeyLabel, Token
from hsm_module.trust.own_certificates import OwnCertificates, OwnProfile
from signer_core.audit.events import Actor, Event
from signer_core.errors import DeniedError, InvalidRequestError, VerificationError
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.seal import issue_seal
from signer_core.pki.status import Status
from signer_core.protocol.to_be_signed import verify_seal
from signer_core.seals.ports import MAX_ATTRIBUTES, SealCertificate

_RENEW_BEFORE: Final = timedelta(days=60)
_AT_ONCE: Final = 32  # signatures, 3 ms: how long others wait for the token
_SUBJECT_OF_ANY: Final = 58  # characters of a seal's name that may be in an event


@dataclass(frozen=True, slots=True)
class SealOffice:
    """Port `signer_core.seals.ports.VaultSeals`."""

    store: Store
    token: Token
    rules: SealRules
    certificates: OwnCertificates
    office: CertificateOffice

    async def get(self, seal_id: str, callers: Collection[str]) -> SealCertificate:
        """See `VaultSeals.get`."""
        rule = await self._allowed(seal_id, callers, 0)
        certificate = await self.certificate(rule)
        return SealCertificate((_der(certificate), _der(self.office.authorities.issuing)))

    async def sign(
        self, seal_id: str, callers: Collection[str], attributes: Sequence[bytes]
    ) -> tuple[bytes, ...]:
        """See `VaultSeals.sign`.

        1. At most 1024 attributes; the audit log is being kept.
        2. The seal's rule names one of the callers.
        3. Each is the attributes of a seal, of this one's certificate and of now.
        4. The certificate is good.
        5. The use is in the outbox before a signature leaves.
        """
        if not 1 <= len(attributes) <= MAX_ATTRIBUTES:  # 1
            raise InvalidRequestError("a seal signs 1 to 1024 things in one call")
        self.store.verify_audited()  # 1
        rule = await self._allowed(seal_id, callers, len(attributes))  # 2
        certificate = await self.certificate(rule)
        use = _Use(seal_id, _actor(callers), len(attributes))
        try:
            _verify(attributes, _der(certificate), self.office.now())  # 3
        except VerificationError:
            await self._refuse(use, "not-attributes")
            raise
        signatures = await self._sign(rule.label, attributes)
        if not await self._record(use, certificate):  # 4, 5
            raise DeniedError("the certificate of this seal is suspended or revoked")
        return signatures

    async def _allowed(self, seal_id: str, callers: Collection[str], count: int) -> SealRule:
        rule = await self.rules.find(seal_id)
        if rule is not None and rule.callers & set(callers):
            if rule.retired_at_s is None:
                return rule
            await self._refuse(_Use(seal_id, _actor(callers), count), "retired")
            raise DeniedError("this seal is retired")
        use = _Use(seal_id, _actor(callers), count)
        await self._refuse(use, "unknown-seal" if rule is None else "stranger")
        raise DeniedError("this caller may not use this seal")  # the same for one that is not there

    async def certificate(self, rule: SealRule) -> x509.Certificate:
        """Return the newest certificate of a seal; issued now if it is due.

        Raises:
            NotFoundError: the token has no key of it.
        """
        return await self.certificates.get(self._profile(rule))

    async def _sign(self, label: KeyLabel, attributes: Sequence[bytes]) -> tuple[bytes, ...]:
        signatures: list[bytes] = []
        for start in range(0, len(attributes), _AT_ONCE):
            some = attributes[start : start + _AT_ONCE]
            signatures += await self.token.use_key(label, partial(_all, attributes=some))
        return tuple(signatures)

    async def _record(self, use: "_Use", certificate: x509.Certificate) -> bool:
        name = CertificateName.of(ISSUING, certificate.serial_number)
        async with self.store.transaction() as transaction:
            good = (await transaction.statuses.get(name)).status is Status.GOOD
            await transaction.record(use.made() if good else use.refused("not-good"))
        return good

    async def _refuse(self, use: "_Use", reason: str) -> None:
        async with self.store.transaction() as transaction:
            await transaction.record(use.refused(reason))

    def _profile(self, rule: SealRule) -> OwnProfile:
        def issue(
            issuer: Issuer, issuance: Issuance, key: ec.EllipticCurvePublicKey
        ) -> x509.Certificate:
            country, addresses = self.office.country, self.office.addresses
            return issue_seal(issuer, issuance, key, rule.organisation, country, addresses)

        return OwnProfile(rule.label, "seal", _RENEW_BEFORE, issue)


@dataclass(frozen=True, slots=True)
class _Use:
    """One call, as the audit log will tell it."""

    seal_id: str
    actor: Actor
    count: int

    def made(self) -> Event:
        return Event("seal-use", "made", subject=self._subject(), actor=self.actor)

    def refused(self, reason: str) -> Event:
        return Event(
            "seal-use", "refused", reason=reason, subject=self._subject(), actor=self.actor
        )

    def _subject(self) -> str:
        # Of a seal that is not there, the name is whatever somebody sent.
        named = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.seal_id)
        return f"{named[:_SUBJECT_OF_ANY]}/{self.count}"


def _actor(callers: Collection[str]) -> Actor:
    named = "+".join(sorted(callers))
    return Actor(
        "process", "".join(c if c.isascii() and c.isalnum() else _mark(c) for c in named)[:128]
    )


def _mark(character: str) -> str:
    return character if character in ".-+" else "-"


def _verify(attributes: Sequence[bytes], certificate: bytes, now: datetime) -> None:
    certificate_sha256 = hashlib.sha256(certificate).digest()
    for der in attributes:
        verify_seal(der, certificate_sha256=certificate_sha256, now=now)


def _all(key: ec.EllipticCurvePrivateKey, attributes: Sequence[bytes]) -> list[bytes]:
    return [key.sign(der, ec.ECDSA(hashes.SHA256())) for der in attributes]


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
