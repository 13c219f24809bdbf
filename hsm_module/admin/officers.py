"""The table of officers: certified by the infrastructure CA, in and out by one who is in."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.certificates import verify_device_csr
from hsm_module.serials import new_serial
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import Token
from hsm_module.trust.status import record_issued, set_status
from signer_core.admin.officers import Grounds, Officer, Reason, Role, check_officer_id
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.pki import status
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.officer import issue_officer


@dataclass(frozen=True, slots=True)
class OfficerDesk:
    """Takes officers in and out; whoever calls has checked who asks."""

    store: Store
    token: Token
    infrastructure: x509.Certificate
    now: Callable[[], datetime]  # UTC

    async def all(self) -> Sequence[Officer]:
        """Return every officer there ever was."""
        async with self.store.reading() as transaction:
            return await transaction.officers.all()

    async def add(self, officer_id: str, role: Role, csr: bytes, grounds: Grounds) -> bytes:
        """Certify a key (DER PKCS#10, at most 1 KiB) and let it in; return PEM, the CA after it.

        An id that is in already gets another key: the one before it is out at once.

        Raises:
            InvalidRequestError: the id or the request is malformed, or the last officer would
                become an auditor.
        """
        check_officer_id(officer_id)
        public_key = verify_device_csr(csr)
        certificate = await self._issue(public_key, officer_id)
        async with self.store.transaction() as transaction:
            await transaction.officers.take_turn()
            if role is not Role.OFFICER:
                await _check_others(transaction, officer_id)
            before = await transaction.officers.find(officer_id)
            name = CertificateName.of(INFRASTRUCTURE, certificate.serial_number)
            officer = Officer(
                officer_id,
                role,
                key_hash(public_key),
                active=True,
                changed_at_s=await transaction.now_s(),
                serial=name.serial,
            )
            await transaction.officers.save(officer)
            await transaction.record(_event(officer, "added", grounds))
            await record_issued(transaction, INFRASTRUCTURE, certificate, "officer")
            if before is not None:
                await _revoke(transaction, before, grounds)
        chain = (certificate, self.infrastructure)
        return b"".join(one.public_bytes(Encoding.PEM) for one in chain)

    async def remove(self, officer_id: str, grounds: Grounds) -> None:
        """See `VaultAdmin.remove_officer`."""
        async with self.store.transaction() as transaction:
            await transaction.officers.take_turn()
            officer = await transaction.officers.find(officer_id)
            if officer is None:
                raise NotFoundError("there is no such officer")
            if not officer.active:
                return
            if officer.role is Role.OFFICER:
                await _check_others(transaction, officer_id)
            gone = replace(officer, active=False, changed_at_s=await transaction.now_s())
            await transaction.officers.save(gone)
            await transaction.record(_event(gone, "removed", grounds))
            await _revoke(transaction, gone, grounds)

    async def _issue(
        self, public_key: ec.EllipticCurvePublicKey, officer_id: str
    ) -> x509.Certificate:
        issuance = Issuance(new_serial(), self.now())

        def issue(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
            return issue_officer(Issuer(self.infrastructure, key), issuance, public_key, officer_id)

        return await self.token.use_key(INFRASTRUCTURE, issue)


async def _check_others(transaction: Transaction, officer_id: str) -> None:
    """Check that somebody else may still change things.

    Raises:
        InvalidRequestError: nobody may.
    """
    others = [
        one
        for one in await transaction.officers.all()
        if one.active and one.role is Role.OFFICER and one.officer_id != officer_id
    ]
    if not others:
        raise InvalidRequestError("this is the last officer: add another one first")


async def _revoke(transaction: Transaction, officer: Officer, grounds: Grounds) -> None:
    compromised = grounds.reason is Reason.KEY_COMPROMISE
    reason = status.Reason.KEY_COMPROMISE if compromised else status.Reason.CESSATION
    name = CertificateName(INFRASTRUCTURE, officer.serial)
    await set_status(transaction, name, status.Status.REVOKED, reason)


def _event(officer: Officer, result: str, grounds: Grounds) -> Event:
    subject = f"{officer.officer_id}:{officer.role}"
    return Event("officer", result, reason=grounds.reason, subject=subject)


def key_hash(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo."""
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()
