"""Rows of partners: under a MAC, with a mark each, so that no older record comes back."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.partner_tables import partners as table
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.token.port import Token
from signer_core.partners.ports import VaultPartner
from signer_core.storage.engine import take_turn

_NAME: Final = "partners"


class PartnerRows:
    """The partners of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection, self._token, self._marks = connection, token, marks

    async def take_turn(self) -> None:
        """Be the only transaction that changes partners, until it ends."""
        await take_turn(self._connection, _NAME)

    async def find(self, partner_id: str) -> VaultPartner | None:
        """Return a partner's row, None if there never was one.

        Raises:
            AlteredRowError: the row is not as the vault wrote it, or an old one, or gone.
        """
        if not partner_id.isprintable():  # PostgreSQL takes no text with a zero character
            return None
        query = select(table).where(table.c.partner_id == partner_id)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        if found is None:
            if self._marks.find(MarkKind.PARTNER, _mark_id(partner_id)) is not None:
                raise RolledBackRowError(_NAME, None)
            return None
        return await self._verify(found)

    async def page(self, after: str, limit: int) -> Sequence[VaultPartner]:
        """Return rows in the order of their ids; one that was altered says only that."""
        query = select(table).where(table.c.partner_id > after)
        page = query.order_by(table.c.partner_id).limit(limit)
        rows = (await self._connection.execute(page)).mappings().all()
        return [await self._verify_or_say(row) for row in rows]

    async def count_sandbox(self) -> int:
        """Return how many partners developers have made."""
        query = select(func.count()).select_from(table).where(table.c.sandbox == 1)
        return (await self._connection.execute(query)).scalar_one()

    async def save(self, partner: VaultPartner) -> None:
        """Write a partner, new or known; `take_turn` first."""
        values = _to_columns(partner, await self._version(partner.partner_id) + 1)
        sealed = {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}
        same = table.c.partner_id == partner.partner_id
        await self._connection.execute(delete(table).where(same))
        await self._connection.execute(insert(table).values(sealed))
        mark_id = _mark_id(partner.partner_id)
        self._marks.note(Mark(MarkKind.PARTNER, mark_id, values["row_version"]))

    async def _version(self, partner_id: str) -> int:
        query = select(table.c.row_version).where(table.c.partner_id == partner_id)
        stored: int = await self._connection.scalar(query) or 0
        mark = self._marks.find(MarkKind.PARTNER, _mark_id(partner_id))
        return max(stored, mark.version if mark else 0)

    async def _verify_or_say(self, found: RowMapping) -> VaultPartner:
        try:
            return await self._verify(found)
        except AlteredRowError:
            named = str(found["partner_id"])
            return VaultPartner(
                named, "", active=False, changed_at_s=0, sandbox=False, altered=True
            )

    async def _verify(self, found: RowMapping) -> VaultPartner:
        row = await sealing.verify_ownerless(self._token, table, found)
        mark = Mark(MarkKind.PARTNER, _mark_id(row["partner_id"]), row["row_version"])
        if self._marks.is_rolled_back(mark):
            raise RolledBackRowError(_NAME, None)
        return VaultPartner(
            partner_id=row["partner_id"],
            record=row["record"],
            active=bool(row["active"]),
            changed_at_s=row["changed_at_s"],
            sandbox=bool(row["sandbox"]),
        )


def _mark_id(partner_id: str) -> bytes:
    return hashlib.sha256(b"diia-signer/vault/partner/v1/" + partner_id.encode()).digest()[:16]


def _to_columns(partner: VaultPartner, version: int) -> dict[str, Any]:
    return {
        "partner_id": partner.partner_id,
        "record": partner.record,
        "active": int(partner.active),
        "sandbox": int(partner.sandbox),
        "changed_at_s": partner.changed_at_s,
        "row_version": version,
    }
