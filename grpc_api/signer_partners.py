"""What the signer has for partners, put together."""

from dataclasses import dataclass, field
from functools import cached_property

import grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.servers.internal_partners import PartnersServicer, add_partners
from grpc_api.servers.partner_limits import NewPartners, WrongSecrets
from signer_core.partners.developers import Developers
from signer_core.partners.directory import PartnerDirectory
from signer_core.partners.example import Examples
from signer_core.partners.following import PartnerFollowing
from signer_core.partners.ports import VaultPartners
from signer_core.partners.secrets import Secrets
from signer_core.partners.withdrawal import OpenOffers, OpenRequests
from signer_core.signing.close import Closing
from signer_core.signing.model import Clock
from signer_core.storage.signer.audit_outbox import AuditOutbox


@dataclass(frozen=True)  # no slots: what it makes once is kept
class PartnerParts:
    """Everything about partners that the services of one signer process share."""

    engine: AsyncEngine
    vault: VaultPartners
    directory: PartnerDirectory
    closing: Closing
    clock: Clock
    has_sandbox: bool
    examples: Examples
    limits: NewPartners = field(default_factory=NewPartners)

    @cached_property
    def following(self) -> PartnerFollowing:
        """Follow the vault."""
        offers = OpenOffers(self.engine, self.closing.notices)  # first: none becomes a request then
        requests = OpenRequests(self.engine, self.closing)
        withdrawals = (offers.withdraw, requests.withdraw)
        return PartnerFollowing(self.vault, self.directory, withdrawals)

    @cached_property
    def secrets(self) -> Secrets:
        """Make and check secrets."""
        return Secrets(self.directory.partners, AuditOutbox(self.engine, self.clock))

    def add(self, server: grpc.aio.Server) -> tuple[str, ...]:
        """Register PartnersService; return its full name."""
        developers = Developers(
            has_sandbox=self.has_sandbox,
            vault=self.vault,
            following=self.following,
            secrets=self.secrets,
            examples=self.examples,
            admit=self.limits.admit,
        )
        servicer = PartnersServicer(self.directory, self.secrets, developers, WrongSecrets())
        return add_partners(server, servicer)
