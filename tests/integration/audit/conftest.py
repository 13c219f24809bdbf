"""A log with its keeper over a migrated database, and a vault in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signer_core.audit.events import Event
from signer_core.audit.file_sink import FileSink
from signer_core.audit.keeper import AuditKeeper, Kept
from signer_core.audit.leaf import leaf_of
from signer_core.storage.engine import make_engine
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.audit_reading import AuditReading
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes.vault_audit import FakeVaultAudit


@dataclass
class LogWorld:
    """One signer's log; `restart` is what a new process sees."""

    url: str
    folder: Path
    vault: FakeVaultAudit = field(default_factory=FakeVaultAudit)
    ahead: timedelta = timedelta()
    rows_a_file: int = 5

    def __post_init__(self):
        self.engine = make_engine(self.url)
        self.outbox = AuditOutbox(self.engine, self.clock)
        self.reading = AuditReading(self.engine)
        self.sink = None
        self.restart()

    def clock(self):
        return datetime.now(UTC) + self.ahead

    def restart(self, reached=lambda _: None):
        if self.sink is not None:
            self.sink.close()
        self.sink = FileSink(self.folder, self.rows_a_file)
        self.kept = Kept(self.engine, self.outbox, self.vault, "vault-1", self.sink, self.clock)
        self.keeper = AuditKeeper(self.kept, reached)

    async def record(self, count=1):
        for place in range(count):
            await self.outbox.record_alone(Event("audit-read", "searched", subject=str(place)))

    async def leaves(self):
        return [leaf for _, leaf in await self.reading.rows(0, 1000)]

    def file_lines(self):
        files = sorted(self.folder.glob("events-*.jsonl"))
        return [leaf_of(line) for path in files for line in path.read_bytes().splitlines()]


@pytest.fixture
async def log(make_database, tmp_path):
    made = LogWorld(await make_database(MIGRATIONS), tmp_path / "audit")
    yield made
    made.sink.close()
    await made.engine.dispose()
