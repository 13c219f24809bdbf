"""CRLs as rows: what has changed since the last one, who is on the next, and the newest itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.trust_tables import certificate_statuses, crl_heads, crls
from hsm_module.token.port import KeyLabel
from signer_core.storage.engine import for_update, take_turn

PAGE: Final = 256  # rows whose MACs the token makes in one turn


@dataclass(frozen=True, slots=True)
class CrlHead:
    """What is known of an issuer's CRLs."""

    changes: int = 0  # of statuses under it, ever
    seen_changes: int = 0  # by the newest CRL
    number: int = 0  # of the newest CRL, 0: none yet
    made_at_s: int = 0  # Unix time


@dataclass(frozen=True, slots=True)
class StoredCrl:
    """A signed CRL."""

    number: int
    der: bytes


class CrlRows:
    """The CRLs of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def head(self, issuer: KeyLabel) -> CrlHead:
        """Return the head, of zeros if nothing ever happened."""
        query = select(crl_heads).where(crl_heads.c.issuer == issuer)
        found = await self._connection.execute(for_update(self._connection, query))
        row = found.mappings().one_or_none()
        if row is None:
            return CrlHead()
        return CrlHead(row["changes"], row["seen_changes"], row["number"], row["made_at_s"])

    async def not_good(
        self, issuer: KeyLabel, alive_at_s: int, after: bytes
    ) -> Sequence[Mapping[str, Any]]:
        """Return a page of rows that are not good, unchecked, by serial number above `after`."""
        table = certificate_statuses
        query = (
            select(table)
            .where(
                table.c.issuer == issuer,
                text("status <> 'good'"),  # said so, it is the index's own condition
                table.c.not_after_s > alive_at_s,
                table.c.serial > after,
            )
            .order_by(table.c.serial)
            .limit(PAGE)
        )
        found = await self._connection.execute(query)
        names = tuple(found.keys())  # plain dicts: a page is read value by value, many times
        return [dict(zip(names, row, strict=True)) for row in found]

    async def find(self, issuer: KeyLabel) -> StoredCrl | None:
        """Return the newest CRL."""
        found = await self._connection.execute(select(crls).where(crls.c.issuer == issuer))
        row = found.mappings().one_or_none()
        return None if row is None else StoredCrl(row["number"], row["der"])

    async def number(self, issuer: KeyLabel) -> int:
        """Return the number of the newest CRL, 0 if there is none; its bytes are not read."""
        query = select(crls.c.number).where(crls.c.issuer == issuer)
        return (await self._connection.execute(query)).scalar_one_or_none() or 0

    async def save(self, issuer: KeyLabel, made: CrlHead, der: bytes) -> bool:
        """Store a CRL unless there is a newer one; say whether it was stored.

        Of `made`, `changes` is not looked at: others go on counting.
        """
        await take_turn(self._connection, f"crl-head {issuer}")  # two may make the first row
        head = await self.head(issuer)
        if head.number >= made.number:
            return False
        values: dict[str, Any] = {
            "seen_changes": made.seen_changes,
            "number": made.number,
            "made_at_s": made.made_at_s,
        }
        same = crl_heads.c.issuer == issuer
        if (await self._connection.execute(update(crl_heads).where(same).values(values))).rowcount:
            await self._connection.execute(delete(crls).where(crls.c.issuer == issuer))
        else:
            first = {"issuer": issuer, "changes": 0, **values}
            await self._connection.execute(insert(crl_heads).values(first))
        row = {"issuer": issuer, "number": made.number, "der": der}
        await self._connection.execute(insert(crls).values(row))
        return True
