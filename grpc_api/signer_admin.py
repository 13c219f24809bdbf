"""What the signer has for officers, put together."""

import grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.servers.internal_admin import AdminServicer, OfficerGate, add_admin
from grpc_api.signer_partners import PartnerParts
from signer_core.admin.access import Access
from signer_core.admin.following import Following
from signer_core.admin.jobs import JobDesk
from signer_core.admin.letters import DeadLetters
from signer_core.identifiers import VaultId
from signer_core.signing.collect import Collection
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.jobs import Jobs
from signer_core.storage.signer.mass_jobs import MassJobs
from signer_core.storage.signer.people import People


def add_admin_service(
    server: grpc.aio.Server,
    engine: AsyncEngine,
    access: Access,
    collection: Collection,
    vault_id: VaultId,
    partners: PartnerParts,
) -> tuple[str, ...]:
    """Register AdminService; return its full name."""
    outbox = AuditOutbox(engine, collection.clock)
    people, jobs = People(engine), MassJobs(engine)
    servicer = AdminServicer(
        gate=OfficerGate(access, outbox),
        people=people,
        following=Following(people, collection, collection.notices),
        desk=JobDesk(jobs, outbox, vault_id, collection.clock),
        jobs=jobs,
        partners=partners.following,
        secrets=partners.secrets,
        letters=DeadLetters(Jobs(engine), outbox),
    )
    return add_admin(server, servicer)
