"""Keeps the log: moves events into it, writes the file, raises alarms, has the tree signed.

Each event is in an outbox from the transaction of what it tells of, until the transaction that
appends it; the vault's are acknowledged after that, and what comes twice is known by its id. So
the process may die anywhere: nothing is lost and nothing is double (tests/integration/audit).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.alarms import ALERT_KINDS, SHUT_OUT_S, Alarms, wrong_pins
from signer_core.audit.events import Event
from signer_core.audit.file_sink import FileSink
from signer_core.audit.gate import AuditGate
from signer_core.audit.merkle import consistency_proof
from signer_core.audit.ports import VaultAudit
from signer_core.errors import SignerError, UnavailableError, VerificationError
from signer_core.observe.metrics import AUDIT_ROWS
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer import audit_log, audit_restoring
from signer_core.storage.signer.audit_log import BATCH, Delivery, Row
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.audit_reading import AuditReading
from signer_core.storage.signer.jobs import enqueue
from signer_core.storage.signer.source_blocks import find_blocked, note_wrong_pin, shut_out

MAX_WAITING: Final = 20_000  # our own events that may wait before nothing new begins
MAX_WAIT_S: Final = 120
CHECKPOINT_S: Final = 60.0  # between two, while events keep coming
QUIET_S: Final = 3.0  # without a new row: nothing is gained by waiting
_PAUSE_S: Final = 0.25
_RETRY_S: Final = 2.0

Point = Literal["appended", "acknowledged", "written", "signed"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a keeper works with."""

    engine: AsyncEngine
    outbox: AuditOutbox
    vault: VaultAudit
    vault_id: str
    sink: FileSink
    clock: Callable[[], datetime]  # UTC
    gate: AuditGate = field(default_factory=AuditGate)


class AuditKeeper:
    """One a process. Mutable: it remembers what it did last, to do it in time again."""

    def __init__(self, kept: Kept, reached: Callable[[Point], None] = lambda _: None) -> None:
        """Take what to call at each point where a crash must do no harm."""
        self._kept = kept
        self._reached = reached
        self._reading = AuditReading(kept.engine)
        self._alarms = Alarms()
        self.sink_failed = False
        self._signed_size = -1
        self._sign_again_at = self._retry_at = 0.0
        self._grown_at = 0.0

    async def run(self) -> None:
        """Keep the log until cancelled."""
        while True:
            try:
                busy = await self.step()
                pause = 0.0 if busy else _PAUSE_S
            except SignerError as error:
                _log.warning("audit-not-kept", code=error.code)
                pause = _RETRY_S
            await self._judge_gate()
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Do what is due; return whether there is more at once.

        Raises:
            UnavailableError: the database cannot be used.
        """
        await self._adopt()
        delivered = await self._fetch()
        rows = await self._append(delivered)
        self._reached("appended")
        if delivered.events:
            await self._kept.vault.acknowledge([one.event_id for one in delivered.events])
        self._reached("acknowledged")
        await self._write_file(rows)
        self._reached("written")
        await self._sign()
        return len(rows) >= BATCH

    async def _fetch(self) -> Delivery:
        try:
            events = await self._kept.vault.fetch(BATCH)
        except SignerError as error:  # the vault waits for us; our own events do not wait for it
            _log.info("vault-events-not-fetched", code=error.code)
            events = ()
        return Delivery(self._kept.vault_id, events)

    async def _append(self, delivered: Delivery) -> Sequence[Row]:
        async with write_transaction(self._kept.engine) as connection:
            rows = await audit_log.append(connection, delivered)
            if rows:
                await self._raise_alarms(connection, rows)
        if rows:
            self._grown_at = time.monotonic()
            AUDIT_ROWS.set(rows[-1].seq + 1)
        return rows

    async def _raise_alarms(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Queue alerts, shut sources out: in the transaction that appends what caused them."""
        now_s = self._now_s()
        events = [row.event for row in rows]
        for place in self._alarms.to_tell(events):
            for kind in ALERT_KINDS:
                await enqueue(connection, kind, rows[place].leaf, now_s)
        for one in wrong_pins(events):
            if not await note_wrong_pin(connection, one.source, one.at_s):
                continue
            await shut_out(connection, one.source, now_s, now_s + SHUT_OUT_S)
            burst = Event("pin-burst", "blocked", source=one.source)
            await self._kept.outbox.record(connection, burst)

    async def _write_file(self, rows: Sequence[Row]) -> None:
        """Bring the file to where the database is; where it cannot be written, say so once."""
        sink = self._kept.sink
        try:
            if rows and rows[0].seq == sink.next_seq:
                await asyncio.to_thread(sink.append, rows[0].seq, [row.leaf for row in rows])
            while missing := await self._reading.rows(sink.next_seq, BATCH):
                leaves = [leaf for _, leaf in missing]
                await asyncio.to_thread(sink.append, missing[0][0], leaves)
        except UnavailableError:
            await self._tell_sink("failed")
        else:
            await self._tell_sink("resumed")

    async def _tell_sink(self, result: Literal["failed", "resumed"]) -> None:
        if self.sink_failed != (result == "failed"):
            await self._kept.outbox.record_alone(Event("audit-sink", result))
            self.sink_failed = result == "failed"

    async def _adopt(self) -> None:
        """Take back from the file what a restored database lacks."""
        tree = await self._reading.tree()
        sink = self._kept.sink
        while tree.size < sink.next_seq:
            leaves = await asyncio.to_thread(sink.read, tree.size, BATCH)
            async with write_transaction(self._kept.engine) as connection:
                tree = await audit_restoring.adopt(connection, leaves)
            _log.warning("audit-rows-restored", count=len(leaves))

    async def _sign(self) -> None:
        """Have the tree signed if it has grown: once a minute, and whenever it is quiet."""
        now = time.monotonic()
        if now < self._retry_at or now < min(self._sign_again_at, self._grown_at + QUIET_S):
            return
        tree = await self._reading.tree()
        if tree.size in (0, self._signed_size):
            return
        self._sign_again_at = now + CHECKPOINT_S
        try:
            await self.sign_now()
        except VerificationError:  # the vault has recorded it, and that is an alarm
            _log.error("audit-tree-refused")
            self._retry_at = now + CHECKPOINT_S
        except SignerError as error:  # the vault is away: it has not even begun, for example
            self._sign_again_at = self._retry_at = now + _RETRY_S
            _log.info("audit-tree-not-signed", code=error.code)

    async def finish(self) -> None:
        """Bring everything that is recorded into the log, and have its end signed.

        Raises:
            UnavailableError: database or vault are away: the next start does it.
            VerificationError: the vault signed another tree before.
        """
        while await self.step():
            pass
        if (await self._reading.tree()).size not in (0, self._signed_size):
            await self.sign_now()

    async def sign_now(self) -> str:
        """Have the tree of now signed; return the checkpoint.

        Raises:
            VerificationError: the vault signed another tree before.
            UnavailableError: the vault is away.
        """
        vault, tree = self._kept.vault, await self._reading.tree()
        old_size = await vault.head_size()
        if old_size > tree.size:
            note = await vault.sign_checkpoint(tree.size, tree.root(), ())  # it says what it thinks
        else:
            proof = await self._reading.prove(
                lambda fetch: consistency_proof(fetch, old_size, tree.size)
            )
            note = await vault.sign_checkpoint(tree.size, tree.root(), proof)
        self._reached("signed")
        await self._reading.add_checkpoint(tree.size, note, self._now_s())
        self._signed_size = tree.size
        await self._write_checkpoint(note)
        return note

    async def _write_checkpoint(self, note: str) -> None:
        try:
            await asyncio.to_thread(self._kept.sink.add_checkpoint, note)
        except UnavailableError:
            await self._tell_sink("failed")

    async def _judge_gate(self) -> None:
        """Stop what is new while our own events cannot get into the log."""
        gate = self._kept.gate
        try:
            count, oldest_s = await self._reading.waiting()
            gate.blocked = await find_blocked(self._kept.engine, self._now_s())
        except UnavailableError:
            gate.stopped = True
            return
        gate.stopped = count > MAX_WAITING or bool(count and self._now_s() - oldest_s > MAX_WAIT_S)

    def _now_s(self) -> int:
        return int(self._kept.clock().timestamp())
