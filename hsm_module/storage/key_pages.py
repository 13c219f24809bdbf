"""Many keys at once, to be looked at: every row checked, the MACs in one turn of the token."""

from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.key_columns import from_columns
from hsm_module.storage.keys import key_mark
from hsm_module.storage.rows import KeyRow
from hsm_module.storage.tables import keys, requests
from hsm_module.token.port import MAX_AT_ONCE, Token
from signer_core.identifiers import KeyId

_NAMES: Final = tuple(keys.c.keys())


@dataclass(frozen=True, slots=True)
class AlteredKey:
    """A row that is not as the vault wrote it, or an old one."""

    key_id: KeyId


class KeyPages:
    """Pages of the table of keys, in one transaction that reads."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection, self._token, self._marks = connection, token, marks

    async def page(
        self, after: bytes, limit: int, kek_id: str = ""
    ) -> Sequence[KeyRow | AlteredKey]:
        """Return the keys that follow `after`, in the order of their ids."""
        query = select(keys).where(keys.c.key_id > after).order_by(keys.c.key_id).limit(limit)
        return await self._rows(query.where(keys.c.kek_id == kek_id) if kek_id else query)

    async def those(self, key_ids: Sequence[KeyId]) -> Sequence[KeyRow | AlteredKey]:
        """Return the keys of these ids that are there."""
        query = select(keys).where(keys.c.key_id.in_(key_ids)).order_by(keys.c.key_id)
        return await self._rows(query)

    async def requests_by_state(self, key_id: KeyId) -> dict[str, int]:
        """Count a key's requests by state; unchecked, for a person to look at."""
        query = (
            select(requests.c.state, func.count())
            .where(requests.c.key_id == key_id)
            .group_by(requests.c.state)
        )
        found = await self._connection.execute(query)
        return {row.state: row[1] for row in found}

    async def _rows(self, query: Select[Any]) -> Sequence[KeyRow | AlteredKey]:
        rows = (await self._connection.execute(query)).all()
        found = [dict(zip(_NAMES, row, strict=True)) for row in rows]
        checked: list[KeyRow | AlteredKey] = []
        for start in range(0, len(found), MAX_AT_ONCE):
            checked += await self._check(found[start : start + MAX_AT_ONCE])
        return checked

    async def _check(self, found: Sequence[dict[str, Any]]) -> list[KeyRow | AlteredKey]:
        encoded = [sealing.encode(keys, row) for row in found]
        known = [one for one in encoded if one is not None]
        macs = iter(await self._token.macs(known))
        return [
            self._checked(row, None if text is None else next(macs))
            for row, text in zip(found, encoded, strict=True)
        ]

    def _checked(self, found: dict[str, Any], mac: bytes | None) -> KeyRow | AlteredKey:
        altered = AlteredKey(KeyId(found["key_id"]))
        try:
            if mac is None or not compare_digest(mac, found[sealing.MAC_COLUMN]):
                return altered
            row = from_columns(found)
        except (TypeError, ValueError):
            return altered
        return altered if self._marks.is_rolled_back(key_mark(row)) else row
