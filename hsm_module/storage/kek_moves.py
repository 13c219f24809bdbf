"""Moving records from one KEK to another: which are left, and their new blobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Table, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.tables import certificates, keys, share_records
from signer_core.identifiers import KeyId


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """A wrapped share as the database has it."""

    generation: int
    kek_id: str
    blob: bytes = field(repr=False)


class KekMoves:
    """What a rotation needs of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def count(self) -> Counter[str]:
        """Count records by KEK: shares, certificates, and the epoch keys of a generation as one."""
        counted: Counter[str] = Counter()
        for column in (
            share_records.c.kek_id,
            certificates.c.kek_id,
            keys.c.kek_id,
            keys.c.next_kek_id,
        ):
            query = select(column, func.count()).where(column.is_not(None)).group_by(column)
            for kek_id, count in await self._connection.execute(query):
                counted[kek_id] += count
        return counted

    async def waiting(self, after: bytes, limit: int, kek_id: str) -> Sequence[KeyId]:
        """Return the next keys of which a record is under another KEK than this one."""
        others = [
            _exists(table, table.c.kek_id != kek_id) for table in (share_records, certificates)
        ]
        query = (
            select(keys.c.key_id)
            .where(keys.c.key_id > after)
            .where(or_(keys.c.kek_id != kek_id, keys.c.next_kek_id != kek_id, *others))
            .order_by(keys.c.key_id)
            .limit(limit)
        )
        return [KeyId(one) for one in (await self._connection.execute(query)).scalars()]

    async def shares(self, key_ids: Sequence[KeyId]) -> dict[KeyId, list[ShareRecord]]:
        """Return the share records of these keys."""
        found: dict[KeyId, list[ShareRecord]] = {key_id: [] for key_id in key_ids}
        query = select(share_records).where(share_records.c.key_id.in_(key_ids))
        for row in await self._connection.execute(query):
            record = ShareRecord(row.generation, row.kek_id, row.blob)
            found[KeyId(row.key_id)].append(record)
        return found

    async def certificates(self, key_ids: Sequence[KeyId]) -> dict[KeyId, tuple[str, bytes]]:
        """Return KEK id and blob of the certificates of these keys."""
        query = select(certificates).where(certificates.c.key_id.in_(key_ids))
        rows = await self._connection.execute(query)
        return {KeyId(row.key_id): (row.kek_id, row.blob) for row in rows}

    async def replace_share(self, key_id: KeyId, generation: int, kek_id: str, blob: bytes) -> None:
        """Write a share's new blob; its hash is to go into the key's row."""
        same = (share_records.c.key_id == key_id, share_records.c.generation == generation)
        query = update(share_records).where(*same).values(kek_id=kek_id, blob=blob)
        await self._connection.execute(query)

    async def replace_certificate(self, key_id: KeyId, kek_id: str, blob: bytes) -> None:
        """Write a certificate's new blob."""
        query = update(certificates).where(certificates.c.key_id == key_id)
        await self._connection.execute(query.values(kek_id=kek_id, blob=blob))


def _exists(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    query = select(table.c.key_id).where(table.c.key_id == keys.c.key_id, condition)
    return query.exists()
