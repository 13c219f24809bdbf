"""Steady load for minutes: memory and file handles of each server process stay flat, or not.

Run: make soak MINUTES=20, or python -m benchmarks.soak 20

The rule: the first quarter warms up; after it no process's resident memory rises by more than 5 %
or 8 MiB, whichever is more, from the median of the second quarter to that of the last, and its
open handles and threads by no more than 4. Breaking it, or a signature that failed, exits with 1.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.harness.population import populate, work_out_factors_first
from benchmarks.harness.processes import Sample, load_line, sample_all
from benchmarks.harness.requests import make_requests
from benchmarks.harness.system import KEPT, Bench, serving
from benchmarks.load import PHONES, Wish, run

Samples = list[dict[str, Sample]]
ALLOWED = {"RSS, MiB": 8.0, "handles": 4.0, "threads": 4.0}
LOOKS: dict[str, Callable[[Sample], float]] = {
    "RSS, MiB": lambda one: one.rss_mib,
    "handles": lambda one: one.files,
    "threads": lambda one: one.threads,
}


def work(bench: Bench, minutes: float) -> tuple[Samples, int, int]:
    """Sign until the time is over; return samples, signatures and failures."""
    members = asyncio.run(populate(bench, PHONES))
    samples: Samples = []
    signed = failed = 0
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        jobs = asyncio.run(make_requests(bench, members, 4 * PHONES))
        result = run(bench, jobs, Wish(at_once=8))
        signed, failed = signed + len(result.done.pin_ms), failed + len(result.done.failures)
        samples.append(sample_all(bench.pids))
    return samples, signed, failed


def verdict(samples: Sequence[dict[str, Sample]]) -> bool:
    """Print each figure's medians of the second and the last quarter; True if all are flat."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    flat = True
    print(f"{'':24}{'2nd quarter':>12}{'last':>10}{'allowed':>10}")
    for process in samples[0]:
        for what, look in LOOKS.items():
            before = statistics.median(look(one[process]) for one in early)
            after = statistics.median(look(one[process]) for one in late)
            allowed = max(ALLOWED[what], 0.05 * before if what == "RSS, MiB" else 0)
            good = after - before <= allowed
            flat = flat and good
            word = "" if good else "  NOT FLAT"
            print(f"{process:12}{what:12}{before:12.0f}{after:10.0f}{allowed:+10.0f}{word}")
    return flat


def main() -> None:
    """Soak."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    work_out_factors_first(argon2id=False)
    with serving(KEPT / "sqlite") as bench:
        samples, signed, failed = work(bench, minutes)
    print(f"\n{signed} signatures, {failed} failed, in {minutes:.0f} minutes; {load_line()}")
    if len(samples) < 4:
        raise SystemExit("too short to say: four rounds are needed")
    if not verdict(samples) or failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
