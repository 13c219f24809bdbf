"""The person at the terminal: timed lines, clean ends, no tracebacks."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.markup import escape

from deploy.supervision import StartError

console = Console(highlight=False)
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # a shell's background job ignores the first


class Story:
    """Prints lines with the seconds since the beginning; mutable: it keeps nothing but the time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, line: str) -> None:
        """Print one line."""
        console.print(f"[dim]{self.seconds():6.1f} s[/]  {escape(line)}", soft_wrap=True)

    @staticmethod
    def quote(said: str) -> None:
        """Print what another program said, set apart."""
        for line in said.rstrip().splitlines():
            console.print(f"            [cyan]{escape(line)}[/]", soft_wrap=True)

    def seconds(self) -> float:
        """Return the time since the beginning."""
        return time.monotonic() - self._began


def run(main: Callable[[], None]) -> int:
    """Run `main`; return the exit status: 1 with a sentence for a failure, 130 after Ctrl-C."""
    with ended_by_signals():
        try:
            main()
        except StartError as error:
            console.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
            return 1
        except KeyboardInterrupt:
            console.print("stopped")
            return 130
    return 0


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Make SIGTERM and a closed terminal end as Ctrl-C does: through every `finally`."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {kind: signal.signal(kind, interrupt) for kind in _ENDS}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
