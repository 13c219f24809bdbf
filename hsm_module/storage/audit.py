"""Events that wait in the outbox, and the head of the log that the vault signed last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.audit_tables import audit_heads
from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.sealing import RolledBackRowError
from hsm_module.storage.tables import outbox
from hsm_module.token.port import Token
from signer_core.audit.leaf import Recorded, from_row
from signer_core.audit.merkle import EMPTY_ROOT
from signer_core.storage.engine import take_turn

KEPT_S: Final = 7 * 24 * 3600  # that an acknowledged event stays here, to compare with the log
_LOOKED_AT: Final = 64  # old events an acknowledgement, and twice as many as it names
_ID: Final = b"audit-head".ljust(16, b"\0")
_WAITS: Final = outbox.c.acknowledged_at_s.is_(None)


@dataclass(frozen=True, slots=True)
class Head:
    """The last tree that was signed."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    row_version: int = 0


class AuditRows:
    """Outbox and head in one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection = connection
        self._token = token
        self._marks = marks

    async def waiting(self, limit: int) -> Sequence[Recorded]:
        """Return the oldest events that nobody acknowledged."""
        query = select(outbox).where(_WAITS).order_by(outbox.c.id).limit(limit)
        rows = (await self._connection.execute(query)).mappings()
        return [from_row({str(name): value for name, value in row.items()}) for row in rows]

    async def count_waiting(self, at_most: int) -> int:
        """Count events that wait, no further than `at_most`."""
        some = select(outbox.c.id).where(_WAITS).limit(at_most).subquery()
        counted = await self._connection.execute(select(func.count()).select_from(some))
        return counted.scalar_one()

    async def acknowledge(self, event_ids: Sequence[bytes]) -> None:
        """Mark these as fetched; drop what was fetched a week ago, some more than came now.

        Only the oldest are looked at: to look through a week's events holds everybody up.
        """
        now = unix_time_s(self._connection.dialect.name)
        these = outbox.c.event_id.in_(list(event_ids))
        done = update(outbox).where(these, _WAITS).values(acknowledged_at_s=now)
        await self._connection.execute(done)
        oldest = select(outbox.c.id).order_by(outbox.c.id).limit(_LOOKED_AT + 2 * len(event_ids))
        old = delete(outbox).where(
            outbox.c.id.in_(oldest), outbox.c.acknowledged_at_s < now - KEPT_S
        )
        await self._connection.execute(old)

    async def head(self) -> Head:
        """Return the last tree that was signed; the first one is empty.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
            RolledBackRowError: it was, before a later tree was signed.
        """
        row = (await self._connection.execute(select(audit_heads))).mappings().one_or_none()
        mark = self._marks.find(MarkKind.HEAD, _ID)
        if mark is not None and (row is None or row["row_version"] < mark.version):
            raise RolledBackRowError("audit_heads", None)
        if row is None:
            return Head()
        known = await sealing.verify_ownerless(self._token, audit_heads, row)
        return Head(known["size"], known["root"], known["row_version"])

    async def lock_head(self) -> Head:
        """Return the head, and be the only one about it until the transaction ends."""
        await take_turn(self._connection, "audit-head")
        return await self.head()

    async def save_head(self, head: Head) -> None:
        """Write the head of a tree that is signed in this transaction."""
        version = head.row_version + 1
        values = {"id": _ID, "size": head.size, "root": head.root, "row_version": version}
        mac = await sealing.seal(self._token, audit_heads, values)
        await self._connection.execute(delete(audit_heads))
        await self._connection.execute(insert(audit_heads).values(**values, mac=mac))
        self._marks.note(Mark(MarkKind.HEAD, _ID, version))
