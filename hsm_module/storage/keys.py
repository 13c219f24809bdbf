"""Rows of keys: read under a lock, checked, changed, sealed again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind, key_note
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing, statements
from hsm_module.storage.beside import NO_REQUEST, Beside, Fetched
from hsm_module.storage.key_columns import from_columns, to_columns
from hsm_module.storage.known import Seen
from hsm_module.storage.rows import KeyRow
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.storage.tables import keys
from hsm_module.token.port import Token
from signer_core.errors import DeniedError, NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.ports import KeyStatus
from signer_core.storage.driver import is_writing


class KeyRows:
    """The keys of one transaction."""

    def __init__(
        self, connection: AsyncConnection, token: Token, marks: MarksView, fetched: Fetched
    ) -> None:
        self._connection = connection
        self._fetched = fetched
        self._token = token
        self._marks = marks
        self.seen: dict[KeyId, Seen[KeyRow]] = {}

    async def get(self, key_id: KeyId, beside: Beside | None = None) -> tuple[KeyRow, int]:
        """Return a key's row, locked until a transaction that writes ends, and the Unix time.

        The time is the database's, read once the row is locked: waiting for it may take seconds.
        What is wanted `beside` it is read, and locked, in the same query.

        Raises:
            NotFoundError: no such key.
            AlteredRowError: the row is not as the vault wrote it.
            RolledBackRowError: it was, but long ago; or it was there and is gone.
        """
        row, now_s = await self.get_unmarked(key_id, beside)
        if self._marks.is_rolled_back(key_mark(row)):
            raise RolledBackRowError("keys", key_id)
        return row, now_s

    async def get_unmarked(self, key_id: KeyId, beside: Beside | None = None) -> tuple[KeyRow, int]:
        """Return a row as `get` does, whatever its high-water mark: to restore a backup."""
        try:
            row = await self._find(key_id, beside)
            if row is None:
                self._verify_never_there(key_id)
                raise NotFoundError("the vault has no such key")
            found = from_columns(await sealing.verify(self._token, keys, row))
        except RolledBackRowError:
            raise
        except (VerificationError, TypeError, ValueError):  # a column of another type, too
            raise AlteredRowError("keys", key_id) from None
        self.seen[key_id] = Seen(found, row[sealing.MAC_COLUMN])
        return found, row["now_s"]

    async def _find(self, key_id: KeyId, beside: Beside | None) -> Mapping[str, Any] | None:
        this: dict[str, Any] = {statements.ROW_ID: key_id}
        if beside is not None:
            wanted = this | {statements.REQUEST_ID: beside.request_id or NO_REQUEST}
            if not is_writing(self._connection):
                wanted[statements.GENERATION] = beside.generation
            query = statements.select_key_beside(self._connection)
            row = await query.find(self._connection, wanted)
            if row is not None:
                self._fetched.keep(row, key_id, beside)
                return row
        return await statements.select_key(self._connection).find(self._connection, this)

    async def ids_with(
        self, column: Literal["person_mac", "suspend_code_hash"], value: bytes
    ) -> Sequence[KeyId]:
        """Return the ids of the keys with this value; unchecked, until `get` reads each row."""
        query = select(keys.c.key_id).where(keys.c[column] == value).order_by(keys.c.key_id)
        return [KeyId(key_id) for key_id in (await self._connection.execute(query)).scalars()]

    async def insert(self, row: KeyRow) -> None:
        """Store a new key.

        Raises:
            DeniedError: there is one of this id.
            RolledBackRowError: there was one.
        """
        try:
            await self._connection.execute(insert(keys).values(await self._sealed(row)))
        except IntegrityError:
            raise DeniedError("this key was enrolled before") from None
        self._verify_never_there(row.key_id)  # after it: a row that is still there has its mark
        self._marks.note(key_mark(row))

    async def save(self, row: KeyRow, above: int = 0) -> KeyRow:
        """Write a row that was read in this transaction; return it with its new version.

        The version is the next one, and above `above`.

        Raises:
            AlteredRowError: the row in the database is not the one that was read.
        """
        new = replace(row, row_version=max(row.row_version, above) + 1)
        values = await self._sealed(new)
        if not await self._write(row, values):
            raise AlteredRowError("keys", row.key_id)
        self._marks.note(key_mark(new))
        self.seen[row.key_id] = Seen(new, values[sealing.MAC_COLUMN])
        return new

    async def _write(self, old: KeyRow, values: dict[str, Any]) -> bool:
        where = {statements.ROW_ID: old.key_id, statements.READ_VERSION: old.row_version}
        return await statements.UPDATE_KEY.change(self._connection, values | where) == 1

    def _verify_never_there(self, key_id: KeyId) -> None:
        if self._marks.find(MarkKind.KEY, key_id) is not None:
            raise RolledBackRowError("keys", key_id)

    async def _sealed(self, row: KeyRow) -> dict[str, Any]:
        values = to_columns(row)
        return {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, keys, values)}


def key_mark(row: KeyRow) -> Mark:
    """Return the mark of a key's row."""
    dead = row.status in (KeyStatus.SUSPENDED, KeyStatus.RETIRED)
    note = key_note(dead=dead, failed=row.failed, lifetime_failed=row.lifetime_failed)
    return Mark(MarkKind.KEY, row.key_id, row.row_version, note)
