"""The log in the signer's database: appended in one transaction a batch, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.audit.leaf import Recorded, from_row, leaf_bytes
from signer_core.audit.merkle import HASH_BYTES, Frontier, leaf_hash
from signer_core.storage.engine import take_turn
from signer_core.storage.signer.audit_tables import (
    audit_log,
    audit_nodes,
    audit_outbox,
    audit_tree,
)

BATCH: Final = 512  # events a transaction
NODE_LEVELS: Final = 8  # a stored node for 256 of the stored level below
SIGNER: Final = "signer"
TOPIC: Final = "audit-log"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the log."""

    seq: int
    leaf: bytes
    event: Recorded


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events of another process, by the name that stands in the log."""

    origin: str
    events: Sequence[Recorded]


async def append(connection: AsyncConnection, delivery: Delivery) -> Sequence[Row]:
    """Move what waits in the signer's outbox, and what was delivered, into the log.

    What was delivered twice is appended once. Nothing of it is there unless the whole commits.
    """
    await take_turn(connection, TOPIC)
    own = await _unknown(connection, await _take_own(connection))  # a backup may have them again
    new = await _unknown(connection, delivery.events)
    events = [(SIGNER, one) for one in own] + [(delivery.origin, one) for one in new]
    if not events:
        return ()
    tree = await read_tree(connection)
    rows = [
        Row(tree.size + place, leaf_bytes(tree.size + place, origin, one), one)
        for place, (origin, one) in enumerate(events)
    ]
    await store_rows(connection, tree, rows)
    return rows


async def read_tree(connection: AsyncConnection) -> Frontier:
    """Return the right edge of the tree."""
    row = (await connection.execute(select(audit_tree))).mappings().one_or_none()
    if row is None:
        return Frontier()
    joined = row["frontier"]
    starts = range(0, len(joined), HASH_BYTES)
    return Frontier(row["size"], tuple(joined[at : at + HASH_BYTES] for at in starts))


async def _take_own(connection: AsyncConnection) -> Sequence[Recorded]:
    query = select(audit_outbox).order_by(audit_outbox.c.id).limit(BATCH)
    rows = (await connection.execute(query)).mappings().all()
    if rows:
        ids = [row["id"] for row in rows]
        await connection.execute(delete(audit_outbox).where(audit_outbox.c.id.in_(ids)))
    return [from_row(_named(row)) for row in rows]


async def _unknown(connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Recorded]:
    if not events:
        return ()
    ids = [one.event_id for one in events]
    query = select(audit_log.c.event_id).where(audit_log.c.event_id.in_(ids))
    known = {bytes(one) for one in (await connection.execute(query)).scalars()}
    return [one for one in events if one.event_id not in known]


async def store_rows(connection: AsyncConnection, tree: Frontier, rows: Sequence[Row]) -> None:
    """Write rows that follow the tree's last one, with the tree that they make."""
    nodes: list[dict[str, Any]] = []

    def note(level: int, position: int, hashed: bytes) -> None:
        if level % NODE_LEVELS == 0:
            nodes.append({"level": level, "position": position, "hash": hashed})

    hashes = [leaf_hash(row.leaf) for row in rows]
    grown = tree.extended(hashes, note)
    values = [_columns(row, hashed) for row, hashed in zip(rows, hashes, strict=True)]
    await connection.execute(insert(audit_log), values)
    if nodes:
        await connection.execute(insert(audit_nodes), nodes)
    await connection.execute(delete(audit_tree))
    edge = {"id": 1, "size": grown.size, "frontier": b"".join(grown.hashes)}
    await connection.execute(insert(audit_tree), edge)


def _columns(row: Row, hashed: bytes) -> dict[str, Any]:
    one = row.event
    return {
        "seq": row.seq,
        "event_id": one.event_id,
        "at_s": one.at_s,
        "event": one.event,
        "actor_id": one.actor_id,
        "subject": one.subject,
        "correlation_id": one.correlation_id,
        "key_id": one.key_id,
        "request_id": one.request_id,
        "leaf": row.leaf,
        "leaf_hash": hashed,
    }


def _named(row: Any) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
