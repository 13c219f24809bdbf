"""A signature beside a million keys in PostgreSQL, and beside a thousand: the same cost.

Run: python -m benchmarks.million [--rows 1000000] [--postgres URL]

A million share records take 9 GB of disk and some minutes; --rows makes it smaller.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.harness.ballast import load_ballast
from benchmarks.harness.population import populate, work_out_factors_first
from benchmarks.harness.postgres import server
from benchmarks.harness.requests import make_requests
from benchmarks.harness.system import KEPT, Bench, serving
from benchmarks.load import PHONES, Result, Wish, report, run

FEW = 1000
ROUNDS = 3  # of each; the best one counts, for the machine is shared


def best(bench: Bench, count: int) -> Result:
    """Return the run with the least CPU."""
    members = asyncio.run(populate(bench, PHONES))
    results = []
    for _ in range(ROUNDS):
        jobs = asyncio.run(make_requests(bench, members, count))
        results.append(run(bench, jobs, Wish(at_once=8)))
    return min(results, key=lambda one: one.cpu_total_ms)


def measure(bench: Bench, rows: int, count: int) -> None:
    """Print both."""
    asyncio.run(populate(bench, PHONES))
    asyncio.run(load_ballast(bench, FEW))
    best(bench, PHONES)  # warm-up
    few = best(bench, count)
    report(f"{FEW} keys", few)
    begun = time.perf_counter()
    asyncio.run(load_ballast(bench, rows, first=FEW))
    print(f"\ncopied {rows} keys in {time.perf_counter() - begun:.0f} s")
    many = best(bench, count)
    report(f"{rows} keys", many)
    ratio = many.cpu_total_ms / few.cpu_total_ms
    print(f"\nCPU of a signature, {rows} keys to {FEW}: {ratio:.2f}; target <= 1.10")
    print(f"by the clock: {few.rate / many.rate:.2f}")


def main() -> None:
    """Read the wishes, start everything, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--postgres", help="URL of a server; a throwaway one otherwise")
    wish = parser.parse_args()
    work_out_factors_first(argon2id=False)
    KEPT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=KEPT) as folder,
        server(wish.postgres) as url,
        serving(Path(folder), url) as bench,
    ):
        measure(bench, wish.rows, wish.count)


if __name__ == "__main__":
    main()
