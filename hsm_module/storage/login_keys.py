"""The row of login keys, under a MAC: who edits the database revives no old key unseen."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage import sealing
from hsm_module.storage.login_tables import login_keys as table
from hsm_module.token.port import KeyLabel, Token
from signer_core.storage.engine import take_turn

_ID: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class LoginKeyRow:
    """Who signs ID tokens."""

    current: KeyLabel
    next: KeyLabel
    previous: KeyLabel | None
    rotated_at_s: int  # Unix time, by the database's clock
    row_version: int = 0


class LoginKeyRows:
    """The one row, in one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self._connection, self._token = connection, token

    async def take_turn(self) -> None:
        """Be the only transaction that changes the row, until it ends."""
        await take_turn(self._connection, "login-keys")

    async def find(self) -> LoginKeyRow | None:
        """Return the row.

        Raises:
            AlteredRowError: it is not as the vault wrote it.
        """
        found = (await self._connection.execute(select(table))).mappings().one_or_none()
        if found is None:
            return None
        row = await sealing.verify_ownerless(self._token, table, found)
        return LoginKeyRow(
            row["current"], row["next"], row["previous"], row["rotated_at_s"], row["row_version"]
        )

    async def replace(self, row: LoginKeyRow) -> None:
        """Write the row, its version one higher; `take_turn` first."""
        values: dict[str, Any] = {
            "id": _ID,
            "current": row.current,
            "next": row.next,
            "previous": row.previous,
            "rotated_at_s": row.rotated_at_s,
            "row_version": row.row_version + 1,
        }
        sealed = {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}
        await self._connection.execute(delete(table))
        await self._connection.execute(insert(table).values(sealed))
