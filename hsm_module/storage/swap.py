"""Compare and swap: a transaction over rows that are known, written at once if they are still so.

It reads nothing. At its end one statement writes its rows where the database holds, column by
column, what is known, and its clock says what was reckoned; so a row that was edited, rolled back
or taken over meanwhile is noticed as if it had been read again, and then it is
(`hsm_module.key_swap`).
"""

from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from typing_extensions import override

from hsm_module.marks.record import MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import statements
from hsm_module.storage.beside import Beside, Fetched
from hsm_module.storage.key_columns import to_columns as key_columns
from hsm_module.storage.keys import KeyRows, key_mark
from hsm_module.storage.known import Known
from hsm_module.storage.requests import RequestRows
from hsm_module.storage.requests import to_columns as request_columns
from hsm_module.storage.rows import KeyRow, RequestRow
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import Token
from signer_core.audit.events import Event
from signer_core.audit.rows import to_outbox
from signer_core.identifiers import KeyId, RequestId


class UnforeseenError(Exception):
    """More is asked than can be known: do it over rows that are locked and read."""


class _NoConnection:
    """Where the database would be."""

    def __getattr__(self, name: str) -> Any:
        raise UnforeseenError(name)


class Swap(Transaction):
    """A transaction over what is `known`. Mutable: it gathers what to write.

    Whatever it cannot know raises `UnforeseenError`, and so does a second change of one row.
    """

    def __init__(self, known: Known, token: Token, marks: MarksView) -> None:
        self.marks = marks
        self.recorded = []
        self.keys = self._keys = _KnownKeys(known, token, marks)
        self.requests = self._requests = _KnownRequests(known, token, marks)

    def __getattr__(self, name: str) -> Any:
        raise UnforeseenError(name)  # rows of another kind, the clock

    @override
    async def record(self, event: Event) -> None:
        self.recorded.append(event)

    async def write(self, engine: AsyncEngine) -> None:
        """Write all that was saved and recorded; durable on return.

        Raises:
            OtherRowsError: the rows are not as they were known; nothing was written.
            UnforeseenError: a row that was read is not written, so it would not be compared.
            UnavailableError: as `write_transaction`.
        """
        key, request = self._keys.change, self._requests.change
        if key is None or (request is None and self._requests.was_read):
            raise UnforeseenError("what was read is not written, so it would not be compared")
        changes = [key] if request is None else [key, request]
        events = [to_outbox(one) for one in self.recorded]
        together = statements.swap(
            engine.dialect.name, request=request is not None, events=len(events)
        )
        about = statements.at_about(self._keys.now_s)
        await together.run(engine, [*changes, *events, about])


class _KnownKeys(KeyRows):
    """The one key that is known. Mutable: it keeps the change."""

    def __init__(self, known: Known, token: Token, marks: MarksView) -> None:
        super().__init__(cast("AsyncConnection", _NoConnection()), token, marks, Fetched())
        self._known = known
        self.now_s = 0  # when the rules were asked
        self.change: dict[str, Any] | None = None

    @override
    async def get(self, key_id: KeyId, beside: Beside | None = None) -> tuple[KeyRow, int]:
        row = self._known.key.row
        if key_id != row.key_id or self._marks.is_rolled_back(key_mark(row)):
            raise UnforeseenError("another key, or an older row")
        self.now_s = self._known.time.now_s()
        return row, self.now_s

    @override
    async def _write(self, old: KeyRow, values: dict[str, Any]) -> bool:
        known = self._known.key
        if self.change is not None or _name(old) != _name(known.row):
            raise UnforeseenError("another key, or a second change")
        where = statements.as_known("key_id", key_columns(known.row), known.mac)
        self.change = values | where
        return True


class _KnownRequests(RequestRows):
    """The one request that is known. Mutable: it keeps the change."""

    def __init__(self, known: Known, token: Token, marks: MarksView) -> None:
        super().__init__(cast("AsyncConnection", _NoConnection()), token, marks, Fetched())
        self._known = known.request
        self.was_read = False
        self.change: dict[str, Any] | None = None

    @override
    async def find(self, request_id: RequestId) -> RequestRow | None:
        known = self._known
        if known is None or known.row.request_id != request_id:
            raise UnforeseenError("another request")
        if self._marks.find(MarkKind.REQUEST, request_id) is not None:
            raise UnforeseenError("it has ended")
        self.was_read = True
        return known.row

    @override
    async def _write(self, old: RequestRow, values: dict[str, Any]) -> bool:
        known = self._known
        if self.change is not None or known is None or _name(old) != _name(known.row):
            raise UnforeseenError("another request, or a second change")
        self.change = values | statements.as_known(
            "request_id", request_columns(known.row), known.mac
        )
        return True


def _name(row: KeyRow | RequestRow) -> tuple[bytes, int]:
    """Return which row it is, and which version was read."""
    return row.request_id if isinstance(row, RequestRow) else row.key_id, row.row_version
