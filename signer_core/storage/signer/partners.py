"""Partners as the signer keeps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.storage.engine import read_transaction, take_turn, write_transaction
from signer_core.storage.signer.insert import insert_unless
from signer_core.storage.signer.partner_tables import partners as table

_BY_ID = select(table).where(table.c.partner_id == bindparam("the_id"))


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """One partner; its record is untrusted until its signature was checked."""

    partner_id: str
    record: str = field(repr=False)
    issued_at_s: int  # of the record, Unix time
    active: bool
    sandbox: bool
    secret_sha256: bytes | None = field(default=None, repr=False)  # 32 bytes


class Partners:
    """The partners of a signer's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def find(self, partner_id: str) -> PartnerRow | None:
        """Return a partner, None where the signer knows none of this id."""
        if not partner_id.isprintable():  # PostgreSQL takes no text with a zero character
            return None
        async with read_transaction(self.engine) as connection:
            found = await connection.execute(_BY_ID, {"the_id": partner_id})
        row = found.mappings().one_or_none()
        if row is None:
            return None
        values = dict(row) | {"active": bool(row["active"]), "sandbox": bool(row["sandbox"])}
        return PartnerRow(**values)

    async def put(self, partner: PartnerRow) -> None:
        """Store what the vault says; a secret that is there stays.

        An older record than the stored one is passed over: two answers may overtake each other.
        """
        values = {
            "record": partner.record,
            "issued_at_s": partner.issued_at_s,
            "active": int(partner.active),
            "sandbox": int(partner.sandbox),
        }
        same = table.c.partner_id == partner.partner_id
        row = values | {"partner_id": partner.partner_id, "secret_sha256": partner.secret_sha256}
        not_older = table.c.issued_at_s <= partner.issued_at_s
        async with write_transaction(self.engine) as connection:
            await take_turn(connection, "partners")
            if not (await connection.execute(insert_unless(same, table, row))).rowcount:
                await connection.execute(update(table).where(same, not_older).values(values))

    async def suspended(self) -> Sequence[str]:
        """Return the ids of those that are suspended."""
        query = select(table.c.partner_id).where(table.c.active == 0)
        async with read_transaction(self.engine) as connection:
            return tuple(await connection.scalars(query))

    async def suspend(self, partner_id: str) -> bool:
        """Suspend a partner whose row the vault refuses; return whether it was active."""
        return await self._suspend(table.c.partner_id == partner_id)

    async def suspend_between(self, after: str, known: Iterable[str], until: str) -> bool:
        """Suspend those after an id, up to another (empty: to the end), that are not `known`."""
        unknown = table.c.partner_id.not_in(list(known)) & (table.c.partner_id > after)
        return await self._suspend(unknown & (table.c.partner_id <= until) if until else unknown)

    async def set_secret(
        self, connection: AsyncConnection, partner_id: str, secret_sha256: bytes
    ) -> bool:
        """Replace a partner's secret; return False where there is no active partner."""
        if not partner_id.isprintable():
            return False
        statement = (
            update(table)
            .where(table.c.partner_id == partner_id, table.c.active == 1)
            .values(secret_sha256=secret_sha256)
        )
        return bool((await connection.execute(statement)).rowcount)

    async def _suspend(self, condition: ColumnElement[bool]) -> bool:
        statement = update(table).where(condition, table.c.active == 1).values(active=0)
        async with write_transaction(self.engine) as connection:
            return bool((await connection.execute(statement)).rowcount)
