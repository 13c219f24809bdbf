"""Run a real process that kills itself where a test says: `python -m tests.crash.launch vault ...`.

Nothing of this ships: the functions are wrapped here, in the child, before its own `main` runs.
The folder in CRASH_FOLDER holds `armed` (the name of one point) and `ahead-s` (seconds that the
database's clock is ahead). A point that is hit renames `armed` to `hit`, so the process that the
supervisor starts next lives.
"""

import functools
import importlib
import inspect
import os
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from signer_core.storage.driver import WRITE
from tests.crash.points import STAGES, Stage

_FOLDER = Path(os.environ["CRASH_FOLDER"])
_FULL_DISK_BYTES = 4096  # no file may grow past it
# Stages that run now. Not a context variable: a commit may run in the task of a neighbour.
_running: Counter[str] = Counter()


def reach(point: str) -> None:
    """Die here as by a power cut, if this point is armed; `full <point>`: the disk is full."""
    armed = _FOLDER / "armed"
    try:
        wish = armed.read_text()
    except FileNotFoundError:
        return
    if wish.removeprefix("full ") != point:
        return
    armed.rename(_FOLDER / "hit")
    if wish == point:
        os.kill(os.getpid(), signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL_DISK_BYTES, hard))


def wrap(stage: Stage) -> None:
    """Put the points of a stage around its function; a name that is gone is an error."""
    module_name, _, path = stage.target.partition(":")
    *outer, name = path.split(".")
    owner = functools.reduce(getattr, outer, importlib.import_module(module_name))
    original = getattr(owner, name)
    setattr(owner, name, _wrapped(original, f"{stage.process}.{stage.name}"))


def _wrapped(original: Any, stage: str) -> Any:
    @functools.wraps(original)
    async def run_async(*args: Any, **kwargs: Any) -> Any:
        reach(f"{stage}.before")
        _running[stage] += 1
        try:
            result = await original(*args, **kwargs)
        finally:
            _running[stage] -= 1
        reach(f"{stage}.after")
        return result

    @functools.wraps(original)
    def run(*args: Any, **kwargs: Any) -> Any:
        reach(f"{stage}.before")
        result = original(*args, **kwargs)
        reach(f"{stage}.after")
        return result

    return run_async if inspect.iscoroutinefunction(original) else run


@event.listens_for(Engine, "commit")
def _before_commit(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITE):
        for stage in +_running:
            reach(f"{stage}.commit")


@event.listens_for(Engine, "connect")
def _set_clock(connection: Any, _record: Any) -> None:
    connection.create_function("unixepoch", 0, _unix_time_s)


def _unix_time_s() -> int:
    try:
        return int(time.time()) + int((_FOLDER / "ahead-s").read_text())
    except FileNotFoundError:
        return int(time.time())


def main() -> int:
    process = sys.argv.pop(1)
    for stage in STAGES:
        if stage.process == process:
            wrap(stage)
    match process:
        case "vault":
            return importlib.import_module("hsm_module.__main__").main()
        case "signer":
            sys.argv.insert(1, "signer")
            return importlib.import_module("grpc_api.__main__").main()
        case _:
            return importlib.import_module("mobile_share.cli").app()


if __name__ == "__main__":
    sys.exit(main())
