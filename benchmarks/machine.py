"""What this machine's disk costs: printed beside every figure that waits for it."""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 60
PAGE = bytes(4096)


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median wall time of a call, in milliseconds."""
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent) * 1000


def fsync_ms(folder: Path) -> float:
    """Return the cost of one fsync after 4 KiB were written."""
    with tempfile.TemporaryFile(dir=folder) as file:

        def write() -> None:
            file.write(PAGE)
            file.flush()
            os.fsync(file.fileno())

        return median_ms(write)


def commit_ms(folder: Path) -> float:
    """Return the cost of one durable SQLite commit of one row: WAL, synchronous=FULL."""
    with tempfile.TemporaryDirectory(dir=folder) as where:
        database = sqlite3.connect(Path(where) / "floor.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, data BLOB)")
        database.execute("INSERT INTO row VALUES (1, ?)", (PAGE,))
        spent = median_ms(lambda: database.execute("UPDATE row SET data = ?", (os.urandom(600),)))
        database.close()
        return spent


def main() -> None:
    """Print them."""
    folder = Path.cwd()
    print(f"{'fsync of 4 KiB':32}{fsync_ms(folder):9.2f} ms")
    print(f"{'SQLite commit, WAL, FULL':32}{commit_ms(folder):9.2f} ms")


if __name__ == "__main__":
    main()
