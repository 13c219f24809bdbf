"""A whole system on one machine: made, started, stopped."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy import ports, readiness, setup, supervision
from deploy.home import Home
from deploy.layout import ONE_OF_EACH, Layout
from deploy.supervision import StartError, Supervisor

_JOIN_TIMEOUT_S = 60
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class System:
    """A serving system."""

    home: Home
    ports: dict[str, int]
    supervisor: Supervisor
    ours: bool  # False: another terminal started it and will stop it


@contextmanager
def running(home: Home, tell: Tell, layout: Layout = ONE_OF_EACH) -> Iterator[System]:
    """Make what is missing, start every process, stop them at the end.

    A system that another terminal runs from the same home is used as it is.

    Raises:
        StartError: it does not start; everything is stopped again.
    """
    with supervision.owned(home) as ours:
        if ours:
            supervision.connect(home).stop()  # left by an owner that was killed
            listeners = setup.prepare(home, tell, layout)
            tell("starting " + ", ".join(one.name for one in layout.processes()))
            supervisor = supervision.start(home, layout)
        else:
            tell("using the system that runs already")
            listeners, supervisor = _join(home)
        try:
            readiness.wait_until_serving(home, listeners, supervisor)
            yield System(home, listeners, supervisor, ours)
        finally:
            if ours:
                tell("stopping")
                supervisor.stop()


def _join(home: Home) -> tuple[dict[str, int], Supervisor]:
    """Wait for the system that another process is starting from this home."""
    supervisor = supervision.connect(home)
    deadline = time.monotonic() + _JOIN_TIMEOUT_S
    while supervisor.pid() is None:
        if time.monotonic() > deadline:
            raise StartError("another terminal holds this system, yet it does not start")
        time.sleep(0.2)
    return ports.load(home.ports), supervisor
