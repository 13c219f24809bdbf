"""Certificates of the system's own keys in the token, issued here and renewed before they end."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.authorities import ISSUING
from hsm_module.serials import new_serial
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import KeyLabel, Token
from hsm_module.trust.status import record_issued
from signer_core.audit.events import Event
from signer_core.identifiers import KeyId
from signer_core.pki.issuing import Issuance, Issuer

Issue = Callable[[Issuer, Issuance, ec.EllipticCurvePublicKey], x509.Certificate]


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """What a key of the token is certified for."""

    label: KeyLabel
    kind: str  # for the table of statuses: responder, timestamping, seal
    renew_before: timedelta  # its end
    issue: Issue  # pure, of `signer_core.pki`; runs beside the token


def own_key_id(label: KeyLabel) -> KeyId:
    """Return what stands for a key of the token in the table of statuses (16 bytes)."""
    return KeyId(hashlib.sha256(b"diia-signer/vault/own-key/v1" + label.encode()).digest()[:16])


class OwnCertificates:
    """Issues them under the issuing CA. Mutable: it remembers those that are not due yet."""

    def __init__(
        self,
        store: Store,
        token: Token,
        issuing: x509.Certificate,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._token, self._issuing, self._now = store, token, issuing, now
        self._fresh: dict[KeyLabel, x509.Certificate] = {}

    async def get(self, profile: OwnProfile) -> x509.Certificate:
        """Return the certificate of a key; issued, recorded and stored now if it is due.

        Several vault processes issue one, not one each.

        Raises:
            AlteredRowError: the stored one is not as the vault wrote it.
            NotFoundError: the token has no such key: run the ceremony.
        """
        known = self._fresh.get(profile.label)
        if known is None or self._is_due(known, profile):
            public_key = await self._token.public_key(profile.label)
            known = await self._find_or_issue(profile, public_key)
            self._fresh[profile.label] = known
        return known

    async def _find_or_issue(
        self, profile: OwnProfile, public_key: ec.EllipticCurvePublicKey
    ) -> x509.Certificate:
        async with self._store.transaction() as transaction:
            await transaction.own_certificates.take_turn(profile.label)
            found = await transaction.own_certificates.find(profile.label)
            if found is not None:
                certificate = x509.load_der_x509_certificate(found.certificate)
                if certificate.public_key() == public_key and not self._is_due(
                    certificate, profile
                ):
                    return certificate
            return await self._issue(transaction, profile, public_key)

    async def _issue(
        self,
        transaction: Transaction,
        profile: OwnProfile,
        public_key: ec.EllipticCurvePublicKey,
    ) -> x509.Certificate:
        issuance = Issuance(new_serial(), self._now())
        certificate = await self._token.use_key(
            ISSUING,
            lambda key: profile.issue(Issuer(self._issuing, key), issuance, public_key),
        )
        await record_issued(
            transaction, ISSUING, certificate, profile.kind, own_key_id(profile.label)
        )
        der = certificate.public_bytes(Encoding.DER)
        await transaction.own_certificates.replace(profile.label, der)
        await transaction.record(Event("own-certificate", "issued", subject=profile.label))
        return certificate

    def _is_due(self, certificate: x509.Certificate, profile: OwnProfile) -> bool:
        renew_at = certificate.not_valid_after_utc - profile.renew_before
        return not certificate.not_valid_before_utc <= self._now() < renew_at
