"""Rows of officers: under a MAC, with a mark each, so that nobody who was removed comes back."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.officer_tables import officers as table
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.token.port import Token
from signer_core.admin.officers import Officer, Role
from signer_core.errors import VerificationError
from signer_core.storage.engine import take_turn

_NAME: Final = "officers"


class OfficerRows:
    """The officers of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection, self._token, self._marks = connection, token, marks

    async def take_turn(self) -> None:
        """Be the only transaction that changes officers, until it ends."""
        await take_turn(self._connection, _NAME)

    async def find(self, officer_id: str) -> Officer | None:
        """Return an officer's row, None if there never was one.

        Raises:
            AlteredRowError: the row is not as the vault wrote it, or an old one, or gone.
        """
        query = select(table).where(table.c.officer_id == officer_id)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        if found is None:
            if self._marks.find(MarkKind.OFFICER, _mark_id(officer_id)) is not None:
                raise RolledBackRowError(_NAME, None)
            return None
        return (await self._verify(found))[0]

    async def all(self) -> Sequence[Officer]:
        """Return every officer there ever was, by id; raises as `find`."""
        query = select(table).order_by(table.c.officer_id)
        rows = (await self._connection.execute(query)).mappings().all()
        return [(await self._verify(row))[0] for row in rows]

    async def save(self, officer: Officer) -> None:
        """Write an officer, new or known; `take_turn` first."""
        version = await self._version(officer.officer_id) + 1
        values = _to_columns(officer, version)
        sealed = {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}
        same = table.c.officer_id == officer.officer_id
        await self._connection.execute(delete(table).where(same))
        await self._connection.execute(insert(table).values(sealed))
        self._marks.note(Mark(MarkKind.OFFICER, _mark_id(officer.officer_id), version))

    async def _version(self, officer_id: str) -> int:
        query = select(table.c.row_version).where(table.c.officer_id == officer_id)
        stored: int = await self._connection.scalar(query) or 0
        mark = self._marks.find(MarkKind.OFFICER, _mark_id(officer_id))
        return max(stored, mark.version if mark else 0)

    async def _verify(self, found: RowMapping) -> tuple[Officer, int]:
        try:
            row = await sealing.verify(self._token, table, found)
            officer, version = _from_columns(row), row["row_version"]
        except (VerificationError, TypeError, ValueError):
            raise AlteredRowError(_NAME, None) from None
        mark = Mark(MarkKind.OFFICER, _mark_id(officer.officer_id), version)
        if self._marks.is_rolled_back(mark):
            raise RolledBackRowError(_NAME, None)
        return officer, version


def _mark_id(officer_id: str) -> bytes:
    return hashlib.sha256(b"diia-signer/vault/officer/v1/" + officer_id.encode()).digest()[:16]


def _to_columns(officer: Officer, version: int) -> dict[str, Any]:
    return {
        "officer_id": officer.officer_id,
        "role": officer.role.value,
        "key_hash": officer.key_hash,
        "active": int(officer.active),
        "changed_at_s": officer.changed_at_s,
        "serial": officer.serial,
        "row_version": version,
    }


def _from_columns(row: dict[str, Any]) -> Officer:
    return Officer(
        officer_id=row["officer_id"],
        role=Role(row["role"]),
        key_hash=row["key_hash"],
        active=bool(row["active"]),
        changed_at_s=row["changed_at_s"],
        serial=row["serial"],
    )
