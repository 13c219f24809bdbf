"""Certificates of processes, revoked by officers."""

from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.store import Store
from hsm_module.trust.status import set_status
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.vault import Outcome
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError
from signer_core.pki import status


async def revoke_process(store: Store, serial: bytes, grounds: Grounds) -> Outcome:
    """See `VaultAdmin.revoke_process`."""
    name = CertificateName.of(INFRASTRUCTURE, int.from_bytes(serial, "big"))
    compromised = grounds.reason is Reason.KEY_COMPROMISE
    reason = status.Reason.KEY_COMPROMISE if compromised else status.Reason.CESSATION
    async with store.transaction() as transaction:
        row = await transaction.statuses.get(name)
        if row.kind != "process":
            raise InvalidRequestError("this is an officer's certificate: officer remove ends it")
        if row.status is status.Status.REVOKED:
            return Outcome.ALREADY
        subject = f"{name.serial.hex()}:{grounds.ticket}".rstrip(":")
        event = Event("process-certificate", "revoked", reason=grounds.reason, subject=subject)
        await transaction.record(event)
        await set_status(transaction, name, status.Status.REVOKED, reason)
    return Outcome.DONE
