"""Reading the log: rows, search, the tree's nodes, checkpoints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.merkle import EMPTY_ROOT, Fetch, Frontier
from signer_core.errors import NotFoundError
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_log import NODE_LEVELS, read_tree
from signer_core.storage.signer.audit_tables import (
    audit_checkpoints,
    audit_log,
    audit_nodes,
    audit_outbox,
)

MAX_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """What rows must match; None and empty: anything."""

    key_id: bytes | None = None
    request_id: bytes | None = None
    event: str = ""
    actor_id: str = ""
    subject: str = ""
    correlation_id: str = ""
    since_s: int = 0  # Unix time
    until_s: int = 0  # excluded, 0: to the end
    before: int = 0  # only rows below this place; 0: all
    limit: int = 100


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint that the vault signed."""

    size: int
    note: str


class AuditReading:
    """The log as others may see it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tree(self) -> Frontier:
        """Return the right edge of the tree now."""
        async with read_transaction(self._engine) as connection:
            return await read_tree(connection)

    async def waiting(self) -> tuple[int, int]:
        """Return how many of our events are not in the log yet, and when the oldest came."""
        query = select(func.count(), func.min(audit_outbox.c.at_s)).select_from(audit_outbox)
        async with read_transaction(self._engine) as connection:
            count, oldest = (await connection.execute(query)).one()
        return count, oldest or 0

    async def rows(self, begin: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Return places and leaves from `begin` on, at most 1000."""
        columns = select(audit_log.c.seq, audit_log.c.leaf).order_by(audit_log.c.seq)
        query = columns.where(audit_log.c.seq >= begin).limit(min(limit, MAX_ROWS))
        return await self._pairs(query)

    async def search(self, query: Query) -> Sequence[tuple[int, bytes]]:
        """Return the newest matching places and leaves, newest first, at most 1000."""
        log = audit_log.c
        found = select(log.seq, log.leaf).order_by(log.seq.desc())
        for column in ("key_id", "request_id", "event", "actor_id", "subject", "correlation_id"):
            if wanted := getattr(query, column):
                found = found.where(log[column] == wanted)
        if query.since_s:
            found = found.where(log.at_s >= query.since_s)
        if query.until_s:
            found = found.where(log.at_s < query.until_s)
        if query.before:
            found = found.where(log.seq < query.before)
        return await self._pairs(found.limit(min(query.limit, MAX_ROWS)))

    async def prove(self, work: Callable[[Fetch], tuple[bytes, ...]]) -> tuple[bytes, ...]:
        """Run a proof of `signer_core.audit.merkle` over the stored tree.

        It runs twice: once to learn which subtrees it wants, once with them.
        """
        wanted: set[tuple[int, int]] = set()

        def ask(level: int, position: int) -> bytes:
            wanted.add((level, position))
            return EMPTY_ROOT

        work(ask)
        async with read_transaction(self._engine) as connection:
            found = {one: await _subtree(connection, *one) for one in wanted}
        return work(lambda level, position: found[level, position])

    async def newest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint, None if none was signed yet."""
        found = await self.checkpoints(0, newest=True)
        return found[0] if found else None

    async def checkpoints(self, above: int, *, newest: bool = False) -> Sequence[StoredCheckpoint]:
        """Return checkpoints of trees larger than `above`, the smallest first, or the newest."""
        order = audit_checkpoints.c.size.desc() if newest else audit_checkpoints.c.size
        query = select(audit_checkpoints.c.size, audit_checkpoints.c.checkpoint)
        query = query.where(audit_checkpoints.c.size > above).order_by(order)
        pairs = await self._pairs(query.limit(1 if newest else MAX_ROWS))
        return [StoredCheckpoint(*one) for one in pairs]

    async def add_checkpoint(self, size: int, note: str, signed_at_s: int) -> None:
        """Keep a checkpoint; a newer one of the same size takes its place."""
        row = {"size": size, "checkpoint": note, "signed_at_s": signed_at_s}
        async with write_transaction(self._engine) as connection:
            same = audit_checkpoints.c.size == size
            await connection.execute(delete(audit_checkpoints).where(same))
            await connection.execute(insert(audit_checkpoints), row)

    async def _pairs(self, query: Any) -> Sequence[Any]:
        async with read_transaction(self._engine) as connection:
            return [tuple(row) for row in await connection.execute(query)]


async def _subtree(connection: AsyncConnection, level: int, position: int) -> bytes:
    """Return the hash of a whole subtree from the stored nodes at or below its level."""
    stored = level // NODE_LEVELS * NODE_LEVELS
    width = 1 << (level - stored)
    begin = position * width
    if stored == 0:
        place, hashed = audit_log.c.seq, audit_log.c.leaf_hash
        query = select(hashed)
    else:
        place, hashed = audit_nodes.c.position, audit_nodes.c.hash
        query = select(hashed).where(audit_nodes.c.level == stored)
    query = query.where(place >= begin, place < begin + width).order_by(place)
    hashes = (await connection.execute(query)).scalars().all()
    if len(hashes) != width:
        raise NotFoundError("a part of the audit log's tree is missing")
    return Frontier().extended(hashes).root()
