"""What the kernel says of processes: CPU, memory, threads, file handles."""

import os
import subprocess
import tempfile
import timeit
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_LOOP = "sum(i * i for i in range(10**6))"  # 45 to 60 ms on a core of its own
_SYNCS = ("fsync", "fdatasync", "sync_file_range", "msync")


@dataclass(frozen=True, slots=True)
class Sample:
    """One process now."""

    cpu_s: float  # of all threads, also those that ended
    rss_mib: float
    threads: int
    files: int  # open handles


def sample(pid: int) -> Sample:
    """Look at one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Sample(
        cpu_s=(int(fields[11]) + int(fields[12])) * _TICK_S,
        rss_mib=int(status["VmRSS"].split()[0]) / 1024,
        threads=int(status["Threads"]),
        files=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    )


def sample_all(pids: Mapping[str, int]) -> dict[str, Sample]:
    """Look at each process, by name."""
    return {name: sample(pid) for name, pid in pids.items()}


def load_line() -> str:
    """Return what figures must be read against: others' load, and how fast Python is just now."""
    one, five, _ = os.getloadavg()
    python_ms = 1000 * min(timeit.repeat(_LOOP, number=1, repeat=5))
    cores = f"{os.cpu_count()} cores"
    return f"load {one:.1f} (1 min) {five:.1f} (5 min), {cores}, 1 M squares {python_ms:.0f} ms"


@dataclass(slots=True)
class SyncCount:
    """How often each process waited for the disk; empty where `strace` is missing."""

    by_process: dict[str, int] = field(default_factory=dict)


@contextmanager
def counting_syncs(pids: Mapping[str, int]) -> Iterator[SyncCount]:
    """Count the fsyncs of processes while the block runs. It slows them: a run of its own."""
    count = SyncCount()
    with tempfile.TemporaryDirectory() as folder:
        tracers = {}
        for name, pid in pids.items():
            log = Path(folder) / name
            words = ["strace", "-f", "-qq", "-e", f"trace={','.join(_SYNCS)}", "-o", str(log)]
            tracers[name] = log, subprocess.Popen([*words, "-p", str(pid)])
        try:
            yield count
        finally:
            for _, tracer in tracers.values():
                tracer.terminate()
                tracer.wait()
        for name, (log, _) in tracers.items():
            calls = Counter(
                word for word in _SYNCS for _ in range(log.read_text().count(word + "("))
            )
            count.by_process[name] = sum(calls.values())
