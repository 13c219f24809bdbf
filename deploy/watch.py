"""What happens to the processes of a running system, told as sentences."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.home import Home
from deploy.supervision import ProcessState

GIVEN_UP = "FATAL"  # supervisord's word


class Watch:
    """Compares the processes with what they were. Mutable: it remembers the last look."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._pids: dict[str, int] = {}
        self._down: set[str] = set()

    def tell(self, processes: Sequence[ProcessState]) -> Iterator[str]:
        """Yield what is new: a process was started again, or is down for good, and why."""
        for process in processes:
            before = self._pids.get(process.name)
            if process.pid:
                self._pids[process.name] = process.pid
                self._down.discard(process.name)
                if before not in (None, process.pid):
                    yield f"{process.name} ended and was started again (pid {process.pid})"
            elif process.state == GIVEN_UP and process.name not in self._down:
                self._down.add(process.name)
                said = last_words(self._home, process.name)
                yield f"{process.name} is down and does not start: {said}"


def last_words(home: Home, name: str) -> str:
    """Return the last line of a process's log: a process that cannot start says why there."""
    log: Path = home.logs / f"{name}.jsonl"
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return f"no log at {log}"
    return next((line for line in reversed(lines) if line.strip()), f"nothing in {log}")
