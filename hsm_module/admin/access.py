"""Who calls, by the vault's own table; whoever is refused is audited."""

from dataclasses import dataclass
from hmac import compare_digest

from hsm_module.storage.store import Store
from signer_core.admin.access import verify_role
from signer_core.admin.officers import Officer, OfficerClaim
from signer_core.audit.events import Actor, Event
from signer_core.audit.provenance import bind_actor
from signer_core.errors import DeniedError


@dataclass(frozen=True, slots=True)
class OfficerDoor:
    """Lets officers in."""

    store: Store

    async def find(self, claim: OfficerClaim) -> Officer | None:
        """Return the active officer whose key the certificate is of."""
        async with self.store.reading() as transaction:
            officer = await transaction.officers.find(claim.officer_id)
        if officer is None or not compare_digest(officer.key_hash, claim.key_hash):
            return None
        return officer if officer.active else None

    async def verify(self, claim: OfficerClaim, action: str, *, changes: bool) -> Officer:
        """Return the officer, who is from now on the actor of this call.

        Raises:
            DeniedError: the caller is none, or an auditor who would change something; audited.
        """
        officer = await self.find(claim)
        bind_actor(Actor("officer", claim.officer_id))
        try:
            return verify_role(officer, changes=changes)
        except DeniedError:
            reason = "unknown-officer" if officer is None else "auditor"
            event = Event("officer-refused", "refused", reason=reason, subject=action)
            async with self.store.transaction() as transaction:
                await transaction.record(event)
            raise
