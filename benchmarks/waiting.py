"""A thousand people reading what they are about to sign; then two hundred of them type the PIN.

Run: python -m benchmarks.waiting [--phones 1000] [--sign 200]

Each phone has its own key and connection and has run steps 1 to 4: the vault holds its session.
The keys are made at the first run and kept under build/bench (two to six minutes).
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness.phones import Done, PhoneProcess, Plan, phone_processes, split
from benchmarks.harness.population import populate, work_out_factors_first
from benchmarks.harness.processes import Sample, load_line, sample_all
from benchmarks.harness.requests import make_requests
from benchmarks.harness.system import KEPT, Bench, serving

LIMIT_MIB = {"signer": 400, "vault": 250}  # with 1,000 phones waiting
PROCESSES = 2


def table(before: Mapping[str, Sample], after: Mapping[str, Sample]) -> None:
    """Print memory, threads and handles of each process."""
    print(f"{'':12}{'RSS before':>12}{'RSS now':>12}{'target':>10}{'threads':>10}{'handles':>10}")
    for name, now in after.items():
        target = f"< {LIMIT_MIB[name]}" if name in LIMIT_MIB else ""
        print(
            f"{name:12}{before[name].rss_mib:8.0f} MiB{now.rss_mib:8.0f} MiB{target:>10}"
            f"{before[name].threads:>5} ->{now.threads:3}{now.files:>10}"
        )


def open_all(processes: list[PhoneProcess]) -> int:
    """Let every phone run steps 1 to 4; return how many wait."""
    for process in processes:
        process.order("go")
    waiting = 0
    for process in processes:
        count, done = process.wait()
        waiting += count
        for failure in set(done.failures):
            print(f"  FAILED {done.failures.count(failure)} times: {failure}")
    return waiting


def sign(processes: list[PhoneProcess], count: int) -> Done:
    """Let `count` of those who wait type their PIN now."""
    for process in processes:
        process.order(count // len(processes))
    done = Done()
    for process in processes:
        part: Done = process.wait()
        done.pin_ms += part.pin_ms
        done.failures += part.failures
    return done


def measure(bench: Bench, phones: int, count: int) -> None:
    """Print both halves."""
    members = asyncio.run(populate(bench, phones))
    jobs = asyncio.run(make_requests(bench, members, phones))
    plans = [Plan(bench.home.deployment, part, at_once=0) for part in split(jobs, PROCESSES)]
    with phone_processes(plans) as processes:
        before, begun = sample_all(bench.pids), time.perf_counter()
        waiting = open_all(processes)
        spent_s = time.perf_counter() - begun
        print(f"\n{waiting} of {phones} wait at the PIN prompt after {spent_s:.0f} s")
        table(before, sample_all(bench.pids))
        begun = time.perf_counter()
        done = sign(processes, count)
        spent_s = time.perf_counter() - begun
        for process in processes:
            process.order(0)
        print(f"\n{count} of them sign at once; {load_line()}")
        for failure in set(done.failures):
            print(f"  FAILED {done.failures.count(failure)} times: {failure}")
        p99 = statistics.quantiles(done.pin_ms, n=100)[-1]
        print(f"  {len(done.pin_ms)} signed, {len(done.failures)} failed, in {spent_s:.1f} s")
        print(f"  PIN to signature: p50 {statistics.median(done.pin_ms):.0f} ms, p99 {p99:.0f} ms")
        print(f"  signer and vault then: {_rss(bench)}")


def _rss(bench: Bench) -> str:
    now = sample_all(bench.pids)
    return f"{now['signer'].rss_mib:.0f} MiB and {now['vault'].rss_mib:.0f} MiB"


def main() -> None:
    """Read the wishes, start the system, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=1000)
    parser.add_argument("--sign", type=int, default=200)
    parser.add_argument("--home", type=Path, default=KEPT / "sqlite")
    wish = parser.parse_args()
    work_out_factors_first(argon2id=False)
    with serving(wish.home) as bench:
        measure(bench, wish.phones, wish.sign)


if __name__ == "__main__":
    main()
