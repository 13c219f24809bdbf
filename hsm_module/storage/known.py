"""Rows as this process last read or wrote them: what a session builds its next change on."""

import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hsm_module.storage.rows import KeyRow, RequestRow

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """A row that was authentic, or that was sealed here, and its MAC."""

    row: R
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DatabaseTime:
    """What the database's clock said, and this process's steady one."""

    unix_s: int
    steady_s: float = field(default_factory=time.monotonic)

    def now_s(self) -> int:
        """Return the database's Unix time by now, or a second less, unless its clock was set."""
        return self.unix_s + int(time.monotonic() - self.steady_s)


@dataclass(frozen=True, slots=True)
class Known:
    """A key, perhaps a request, and when they were so."""

    key: Seen[KeyRow]
    request: Seen[RequestRow] | None
    time: DatabaseTime
