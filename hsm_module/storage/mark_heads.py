"""The head of the high-water marks in the database: which of the two is older can be told."""

from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.file import MarksFile
from hsm_module.marks.record import RECORD_BYTES, Mark, MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.tables import mark_heads
from hsm_module.token.port import Token
from signer_core.errors import VerificationError
from signer_core.storage.engine import take_turn

_ID: Final = bytes(16)
_OLD_DATABASE: Final = (
    "the database is older than its high-water marks: restore it as docs/operations.md says"
)
_OLD_MARKS: Final = (
    "the high-water marks are older than the database, or altered: put the right file back, or "
    "restore as docs/operations.md says"
)


class MarkHeads:
    """The one row, in one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection = connection
        self._token = token
        self._marks = marks

    async def verify(self, file: MarksFile) -> None:
        """Check that neither the database nor the file was put back.

        1. The row is not below its own mark, and not gone.
        2. The file is not an earlier one than the row names, and begins with what the row hashed.

        Raises:
            VerificationError: the first that fails.
        """
        row = await self._read()
        mark = self._marks.find(MarkKind.HEAD, _ID)
        if mark is not None and (row is None or row["row_version"] < mark.version):  # 1
            raise VerificationError(_OLD_DATABASE)
        if row is None:
            return
        number, size, _ = file.head  # 2
        if row["file_number"] > number:
            raise VerificationError(_OLD_MARKS)
        if row["file_number"] == number:
            prefix = file.prefix_hash(row["size_bytes"])
            if row["size_bytes"] > size or not compare_digest(prefix, row["sha256"]):
                raise VerificationError(_OLD_MARKS)

    async def save(self, file: MarksFile) -> str:
        """Write the row anew; return what the audit log says: number, bytes, hash (40 digits)."""
        await take_turn(self._connection, "mark-heads")
        old = await self._read()
        mark = self._marks.find(MarkKind.HEAD, _ID)
        known = max(old["row_version"] if old else 0, mark.version if mark else 0)
        number, size, sha256 = file.head
        values = {
            "id": _ID,
            "file_number": number,
            "size_bytes": size,
            "sha256": sha256,
            "row_version": known + 1,
        }
        sealed = {**values, "mac": await sealing.seal(self._token, mark_heads, values)}
        await self._connection.execute(delete(mark_heads))
        await self._connection.execute(insert(mark_heads).values(sealed))
        self._marks.note(Mark(MarkKind.HEAD, _ID, known + 1))
        return f"{number}:{size // RECORD_BYTES}:{sha256.hex()[:40]}"

    async def _read(self) -> dict[str, Any] | None:
        row = (await self._connection.execute(select(mark_heads))).mappings().one_or_none()
        return None if row is None else await sealing.verify(self._token, mark_heads, row)
