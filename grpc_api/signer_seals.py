"""The seal service of the signer, put together once."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.servers.internal_seals import add_seals
from signer_core.seals.levels import Levels
from signer_core.seals.ports import VaultSeals
from signer_core.seals.repair import Repairs
from signer_core.seals.sealing import Sealing
from signer_core.seals.trust import TrustRevocation, TrustTimestamper
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.seal_repairs import SealRepairs
from signer_core.trust.ports import TrustServices

ZONE: Final = ZoneInfo("Europe/Kyiv")  # of the times on stamps and in sealed PDFs


@dataclass(frozen=True, slots=True)
class SealParts:
    """What seals are made with."""

    vault: VaultSeals
    trust: TrustServices
    issuers: tuple[bytes, ...]  # DER: the deployment's authorities
    engine: AsyncEngine
    executor: Executor
    clock: Callable[[], datetime]  # UTC

    def add(self, server: grpc.aio.Server) -> tuple[str, ...]:
        """Register the service; return its full name."""
        levels = Levels(
            timestamper=TrustTimestamper(self.trust),
            revocation=TrustRevocation(self.trust),
            issuers=self.issuers,
            executor=self.executor,
            clock=self.clock,
        )
        rows = SealRepairs(self.engine, AuditOutbox(self.engine, self.clock))
        repairs = Repairs(rows, levels, self.clock)
        sealing = Sealing(self.vault, levels, repairs, self.clock, ZONE)
        return add_seals(server, sealing, repairs)
