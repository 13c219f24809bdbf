"""Many phones at once through all processes: signatures a second, and where the time goes.

Run: python -m benchmarks.load [--at-once 8] [--count 320] [--postgres URL|own] [--batch 16]

One signature is the phone's whole way: fetch request and document, check both, photo check,
channel to the vault, steps 1 to 7; and the signer's: collect, finish the PDF, verify it, store it.
Making the request is not in it and is printed beside.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.phones import Done, Job, Plan, phone_processes, split
from benchmarks.harness.population import populate, work_out_factors_first
from benchmarks.harness.postgres import server
from benchmarks.harness.processes import SyncCount, counting_syncs, load_line, sample_all
from benchmarks.harness.requests import count_open, make_requests, wait_until_finished
from benchmarks.harness.system import KEPT, Bench, serving
from benchmarks.machine import commit_ms, fsync_ms

PHONES = 48  # one phone may open 60 streams a minute: so many take turns


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    signatures: int
    wall_s: float
    cpu_ms: dict[str, float]  # of a signature, by process
    done: Done
    syncs: dict[str, int]

    @property
    def rate(self) -> float:
        """Signatures a second."""
        return self.signatures / self.wall_s

    @property
    def cpu_total_ms(self) -> float:
        """CPU of one signature in all processes."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True, slots=True)
class Wish:
    """How a run goes."""

    at_once: int
    files: int = 1
    argon2id: bool = False
    trace: bool = False  # count fsyncs; slower
    processes: int = 2  # of phones: those of one share an event loop, and wait for its fsyncs


def run(bench: Bench, jobs: Sequence[Job], wish: Wish) -> Result:
    """Let phones sign all jobs; wait until the last PDF is finished."""
    signatures = len(jobs) * wish.files
    sides = min(wish.processes, wish.at_once)
    plans = [
        Plan(bench.home.deployment, part, wish.at_once // sides, wish.argon2id)
        for part in split(jobs, sides)
    ]
    open_before = asyncio.run(count_open(bench))
    with phone_processes(plans) as processes:
        pids = bench.pids | {f"phones {n}": one.pid for n, one in enumerate(processes)}
        with counting_syncs(pids) if wish.trace else nullcontext(SyncCount()) as syncs:
            time.sleep(1)  # whatever was being done is done
            before, begun = sample_all(pids), time.perf_counter()
            for process in processes:
                process.order("go")
            done = _joined([process.wait() for process in processes])
            asyncio.run(wait_until_finished(bench, open_before - len(jobs)))
            wall_s, after = time.perf_counter() - begun, sample_all(pids)
    cpu = {name: 1000 * (after[name].cpu_s - before[name].cpu_s) / signatures for name in pids}
    cpu["phones"] = sum(cpu.pop(name) for name in list(cpu) if name.startswith("phones "))
    return Result(signatures, wall_s, cpu, done, syncs.by_process)


def _joined(parts: Sequence[Done]) -> Done:
    return Done(
        total_ms=[one for part in parts for one in part.total_ms],
        pin_ms=[one for part in parts for one in part.pin_ms],
        failures=[one for part in parts for one in part.failures],
    )


def report(title: str, result: Result) -> None:
    """Print one run."""
    done, cpu = result.done, result.cpu_total_ms
    print(f"\n{title}; {load_line()}")
    for failure in set(done.failures):
        print(f"  FAILED {done.failures.count(failure)} times: {failure}")
    if not done.total_ms:
        return
    print(f"  {result.signatures} signatures in {result.wall_s:.1f} s: {result.rate:.1f} a second")
    print(
        f"  CPU of a signature {cpu:.1f} ms: two cores of our own carry {2000 / cpu:.0f} a second;"
        f" we had {cpu * result.rate / 1000:.2f} cores"
    )
    for name, value in result.cpu_ms.items():
        print(f"    {name:12}{value:7.2f} ms {100 * value / cpu:5.0f} %")
    for name, values in (("opened to signature", done.total_ms), ("PIN to signature", done.pin_ms)):
        p99 = statistics.quantiles(values, n=100)[-1]
        print(f"  {name}: p50 {statistics.median(values):.0f} ms, p99 {p99:.0f} ms")


def report_syncs(result: Result) -> None:
    """Print who waited for the disk how often."""
    print("\nfsyncs a signature (a run of its own under strace)")
    phones = sum(n for name, n in result.syncs.items() if name.startswith("phones"))
    servers = {name: n for name, n in result.syncs.items() if not name.startswith("phones")}
    for name, count in (servers | {"phones": phones}).items():
        print(f"    {name:12}{count / result.signatures:7.2f}")


def measure(bench: Bench, wish: argparse.Namespace) -> None:
    """Run all that was wished for, and print it."""
    where, at_once = "PostgreSQL" if wish.postgres else "SQLite", wish.at_once
    members = asyncio.run(populate(bench, PHONES))

    def signed(count: int, how: Wish) -> Result:
        return run(bench, asyncio.run(make_requests(bench, members, count, how.files)), how)

    signed(PHONES, Wish(at_once))  # warm-up
    single = signed(wish.count, Wish(at_once, processes=wish.phone_processes))
    report(f"{where}, {at_once} phones at once, without Argon2id", single)
    if wish.batch:
        batch = signed(PHONES, Wish(at_once, files=wish.batch))
        report(f"{where}, {at_once} phones at once, batches of {wish.batch}", batch)
        ratio = 100 * batch.cpu_total_ms / single.cpu_total_ms
        print(f"  CPU of a signature in a batch: {ratio:.0f} % of a single one; target <= 60 %")
    if wish.argon2id:
        slow = signed(2 * PHONES, Wish(at_once, argon2id=True))
        report(f"{where}, with Argon2id (64 MiB, t = 3, p = 4)", slow)
    if wish.fsyncs:
        report_syncs(signed(2 * PHONES, Wish(at_once, trace=True)))
    print(f"\nfloor: fsync of 4 KiB {fsync_ms(bench.home.root):8.2f} ms")
    print(f"floor: SQLite commit  {commit_ms(bench.home.root):8.2f} ms")


def main() -> None:
    """Read the wishes, start the system, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--count", type=int, default=480)
    parser.add_argument("--phone-processes", type=int, default=2)
    parser.add_argument("--postgres", help="URL of a server, or `own` for a throwaway one")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--no-argon2id", dest="argon2id", action="store_false")
    parser.add_argument("--no-fsyncs", dest="fsyncs", action="store_false")
    wish = parser.parse_args()
    work_out_factors_first(argon2id=False)
    if wish.postgres is None:
        with serving(KEPT / "sqlite") as bench:
            measure(bench, wish)
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    url = None if wish.postgres == "own" else wish.postgres
    with (
        tempfile.TemporaryDirectory(dir=KEPT) as folder,
        server(url) as at,
        serving(Path(folder), at) as bench,
    ):
        measure(bench, wish)


if __name__ == "__main__":
    main()
