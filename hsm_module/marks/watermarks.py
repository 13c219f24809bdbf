"""The marks as the database code uses them: compared as rows are read, raised after each commit."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from hsm_module.marks.file import MarksFile
from hsm_module.marks.locks import join, open_lock
from hsm_module.marks.record import Mark, MarkKind


class HighWaterMarks:
    """One process's marks. Mutable: it holds the open file, and what is not yet durable."""

    def __init__(
        self, path: Path, *, alone: bool = False, now_s: Callable[[], float] = time.time
    ) -> None:
        """Open the marks, beside other vault processes of this host or `alone`.

        Raises:
            UnavailableError: another process uses them alone, or at all; or the disk fails.
            VerificationError: the file is damaged.
        """
        self._users = open_lock(path.with_name(path.name + ".users"))
        join(self._users, alone=alone)
        self._writers = open_lock(path.with_name(path.name + ".lock"))
        self.file = MarksFile(path, self._writers, now_s)
        self._written = self._durable = 0
        self._syncing = asyncio.Lock()

    def begin(self) -> "MarksView":
        """Return the marks as a transaction that begins now must see its rows."""
        return MarksView(self, self.file.follow())

    def raise_to(self, marks: list[Mark]) -> None:
        """Write marks, at once; `settle` makes them durable.

        Raises:
            UnavailableError: they cannot be written.
        """
        if marks:
            self.file.append(marks)
            self._written += 1

    async def settle(self) -> None:
        """Return when every mark of this process is safe from a power cut; many share one wait.

        Raises:
            UnavailableError: the disk fails.
        """
        target = self._written
        async with self._syncing:
            if self._durable >= target:
                return
            written = self._written
            descriptor = os.dup(self.file.descriptor)  # a compaction closes the other
            try:
                await asyncio.shield(asyncio.to_thread(os.fdatasync, descriptor))
            finally:
                os.close(descriptor)
            self._durable = written

    def close(self) -> None:
        """Close the files; the locks end with it."""
        self.file.close()
        os.close(self._writers)
        os.close(self._users)


class MarksView:
    """The marks for one transaction. Mutable: it gathers what to raise once it is committed.

    A mark that was raised after the transaction began says nothing about the rows it reads: its
    snapshot may be older. Whatever is decided is decided in a transaction that has locked the row.
    """

    def __init__(self, marks: HighWaterMarks, tick: int) -> None:
        self._marks, self._tick = marks, tick
        self._raised: dict[bytes, Mark] = {}

    def find(self, kind: MarkKind, row_id: bytes) -> Mark | None:
        """Return the mark that a row must reach, None if there is none."""
        found = self._marks.file.find(bytes([kind]) + row_id)
        return found[0] if found is not None and found[1] <= self._tick else None

    def is_rolled_back(self, mark: Mark) -> bool:
        """Tell whether a row is below its mark; note it if the row is above."""
        known = self._marks.file.find(mark.name)
        if known is None or known[0].version < mark.version:
            self.note(mark)
            return False
        return known[1] <= self._tick and mark.version < known[0].version

    def note(self, mark: Mark) -> None:
        """Raise this mark after the commit."""
        self._raised[mark.name] = mark

    def drop(self) -> None:
        """Forget what was noted: the transaction was undone."""
        self._raised.clear()

    async def raise_all(self, *, must_last: Callable[[Mark], bool]) -> None:
        """Raise what was noted; wait until it is durable if one of them must last."""
        raised = list(self._raised.values())
        self._marks.raise_to(raised)
        if any(map(must_last, raised)):
            await self._marks.settle()
