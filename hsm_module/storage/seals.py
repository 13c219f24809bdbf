"""Rows of seals, each under a MAC: who edits the database gets no seal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage import sealing
from hsm_module.storage.seal_tables import seals as table
from hsm_module.token.port import KeyLabel, Token
from signer_core.errors import InvalidRequestError
from signer_core.pki.organisation import Organisation
from signer_core.storage.engine import take_turn

_SEAL_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,57}")
_CALLER: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_CALLERS_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class SealRule:
    """One seal: whose it is, and which processes may use it."""

    seal_id: str  # 1 to 58 of a-z, 0-9, hyphen: "portal", "org-12345678"
    organisation: Organisation
    callers: frozenset[str]  # DNS names in the certificates of processes
    retired_at_s: int | None = None  # Unix time; for good

    def __post_init__(self) -> None:
        if _SEAL_ID.fullmatch(self.seal_id) is None:
            raise InvalidRequestError("the name of a seal has 1 to 58 of a-z, 0-9 and hyphen")
        if not all(_CALLER.fullmatch(caller) for caller in self.callers):
            raise InvalidRequestError("who may use a seal is named by DNS names")
        if len(" ".join(self.callers)) > _CALLERS_CHARACTERS:
            raise InvalidRequestError("a seal has too many who may use it")

    @property
    def label(self) -> KeyLabel:
        """Return the label of its key in the token."""
        return KeyLabel(f"seal-{self.seal_id}")


class SealRows:
    """The seals of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self._connection, self._token = connection, token

    async def find(self, seal_id: str) -> SealRule | None:
        """Return a seal.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
        """
        found = await self._find(seal_id)
        return None if found is None else found[0]

    async def all(self) -> Sequence[SealRule]:
        """Return every seal there ever was, by name; raises as `find`."""
        query = select(table).order_by(table.c.seal_id)
        rows = (await self._connection.execute(query)).mappings().all()
        return [(await self._read(row))[0] for row in rows]

    async def put(self, rule: SealRule) -> bool:
        """Make a seal's row say this; return whether it said something else before.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
            InvalidRequestError: the seal is another organisation's, or retired.
        """
        await take_turn(self._connection, f"seal {rule.seal_id}")
        found = await self._find(rule.seal_id)
        if found is not None and found[0] == rule:
            return False
        if found is not None and found[0].retired_at_s is not None:
            raise InvalidRequestError(
                f"the seal {rule.seal_id} is retired, for good: give a new one another name"
            )
        if found is not None and found[0].organisation != rule.organisation:
            raise InvalidRequestError(
                f"the seal {rule.seal_id} is another organisation's: give this one a key of its own"
            )
        values: dict[str, Any] = {
            "seal_id": rule.seal_id,
            "organisation": rule.organisation.name,
            "edrpou": rule.organisation.edrpou,
            "callers": " ".join(sorted(rule.callers)),
            "retired_at_s": rule.retired_at_s,
            "row_version": found[1] + 1 if found else 0,
        }
        sealed = {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}
        await self._connection.execute(delete(table).where(table.c.seal_id == rule.seal_id))
        await self._connection.execute(insert(table).values(sealed))
        return True

    async def _find(self, seal_id: str) -> tuple[SealRule, int] | None:
        query = select(table).where(table.c.seal_id == seal_id)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        return None if found is None else await self._read(found)

    async def _read(self, found: RowMapping) -> tuple[SealRule, int]:
        row = await sealing.verify_ownerless(self._token, table, found)
        organisation = Organisation(row["organisation"], row["edrpou"])
        callers = frozenset(row["callers"].split())
        rule = SealRule(row["seal_id"], organisation, callers, row["retired_at_s"])
        return rule, row["row_version"]
