"""A whole system on one machine: made, started, stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy import ports, readiness, setup, supervision
from deploy.home import Home
from deploy.supervision import Supervisor

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class System:
    """A serving system."""

    home: Home
    ports: dict[str, int]
    supervisor: Supervisor
    ours: bool  # False: another terminal started it and will stop it


@contextmanager
def running(home: Home, tell: Tell) -> Iterator[System]:
    """Make what is missing, start every process, stop them at the end.

    A system that another terminal runs from the same home is used as it is.

    Raises:
        StartError: it does not start; everything is stopped again.
    """
    with supervision.owned(home) as ours:
        if ours:
            supervision.connect(home).stop()  # left by an owner that was killed
            listeners = setup.prepare(home, tell)
            tell("starting registrar, vault and signer")
            supervisor = supervision.start(home)
        else:
            tell("using the system that runs already")
            listeners, supervisor = ports.load(home.ports), supervision.connect(home)
        try:
            readiness.wait_until_serving(home, listeners, supervisor)
            yield System(home, listeners, supervisor, ours)
        finally:
            if ours:
                tell("stopping")
                supervisor.stop()
