"""The supervisor of one system: start it, ask it, stop it.

`supervisord` keeps every process alive and is reached by a Unix socket in a folder of mode 0700.
"""

import fcntl
import http.client
import os
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]  # ships no types

from deploy.home import REPOSITORY, Home, write_whole
from deploy.layout import ONE_OF_EACH, Layout, Process

COMMANDS = {
    "registrar": ("grpc_api", "registrar"),
    "vault": ("hsm_module",),
    "signer": ("grpc_api", "signer"),
    "portal": ("portal_web",),
    "worker": ("grpc_api", "worker"),
    "simulator": ("mobile_share.simulator",),
}
DEVELOPMENT = frozenset({"simulator"})  # no part of a system that serves people
_AWAY = (OSError, xmlrpc.client.Error, http.client.HTTPException)
_STOP_TIMEOUT_S = 240  # three times that of deploy/program.conf.template; usually 6
_NEVER_AGAIN = 78  # `exitcodes` in deploy/program.conf.template
_SOCKET_PATH_BYTES = 100  # Linux takes 108, supervisord adds a suffix while it binds
_TEMPLATE = Path(__file__).with_name("supervisord.conf.template")
_PROGRAM = Path(__file__).with_name("program.conf.template")


class StartError(Exception):
    """The system did not start; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One supervised process."""

    name: str
    pid: int  # 0 while it is not running
    state: str  # supervisord's: STARTING, RUNNING, BACKOFF, STOPPED, EXITED, FATAL


class Supervisor:
    """A supervisord, by its socket; it may or may not run."""

    def __init__(self, socket: Path, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self._socket = socket
        self._child = child  # None when another process started it

    def pid(self) -> int | None:
        """Return supervisord's process id, None when it does not answer."""
        with suppress(*_AWAY), self._rpc() as supervisor:
            return int(supervisor.getPID())
        return None

    def find_processes(self) -> list[ProcessState]:
        """Return the supervised processes, none when the supervisor does not answer."""
        with suppress(*_AWAY), self._rpc() as supervisor:
            return [_state(info) for info in supervisor.getAllProcessInfo()]
        return []

    def stop(self) -> None:
        """Stop every process, then the supervisor; return when all are gone."""
        with suppress(*_AWAY), self._rpc() as supervisor:
            supervisor.shutdown()
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while self.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._child is not None:
            self._child.wait(_STOP_TIMEOUT_S)

    def has_ended(self) -> bool:
        """Tell whether a supervisor that we started is gone."""
        return self._child is not None and self._child.poll() is not None

    @contextmanager
    def _rpc(self) -> Iterator[Any]:
        # A transport keeps its connection, and a broken one for ever: a new one for each call.
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            yield proxy.supervisor


def _state(info: dict[str, Any]) -> ProcessState:
    # One that said that it must not be started again is given up, like one tried often enough.
    given_up = info["statename"] == "EXITED" and info["exitstatus"] == _NEVER_AGAIN
    return ProcessState(info["name"], info["pid"], "FATAL" if given_up else info["statename"])


def connect(home: Home) -> Supervisor:
    """Return the supervisor of this home, which may or may not run."""
    return Supervisor(_socket(home))


@contextmanager
def owned(home: Home) -> Iterator[bool]:
    """Hold the home for this process's life; gives False when another process holds it."""
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / "owner.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def start(home: Home, layout: Layout = ONE_OF_EACH) -> Supervisor:
    """Start supervisord with every process; does not wait until they serve."""
    socket = _socket(home)
    config = home.run / "supervisord.conf"
    write_whole(config, _config(home, socket, layout))
    home.logs.mkdir(parents=True, exist_ok=True)
    with (home.logs / "supervisord.out").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and our own file
            [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
            start_new_session=True,  # the terminal's Ctrl-C is for us alone; we stop the rest
        )
    supervisor = Supervisor(socket, child)
    while supervisor.pid() is None:
        if supervisor.has_ended():
            raise StartError(f"the supervisor did not start: see {home.logs / 'supervisord.out'}")
        time.sleep(0.02)
    return supervisor


def _config(home: Home, socket: Path, layout: Layout) -> str:
    user = "user=root\n" if os.geteuid() == 0 else ""
    programs = "".join(
        Template(_PROGRAM.read_text()).substitute(
            name=process.name,
            command=_command(home, process),
            directory=_quote(REPOSITORY),
            log=_quote(home.logs / f"{process.name}.jsonl"),
            priority=priority,
        )
        for priority, process in enumerate(layout.processes())
    )
    return Template(_TEMPLATE.read_text()).substitute(
        socket=_quote(socket),
        log=_quote(home.logs / "supervisord.log"),
        pidfile=_quote(home.run / "supervisord.pid"),
        user=user,
        programs=programs,
    )


def _command(home: Home, process: Process) -> str:
    module, *arguments = COMMANDS[process.role]
    settings = str(home.settings(process.name))
    words = [sys.executable, "-m", module, *arguments, "--config", settings]
    return " ".join(f'"{_quote(word)}"' for word in words)


def _quote(text: object) -> str:
    return str(text).replace("%", "%%")  # supervisord's own expansion sign


def _socket(home: Home) -> Path:
    wanted = home.run / "supervisor.sock"
    if len(os.fsencode(wanted)) <= _SOCKET_PATH_BYTES:
        return wanted
    link = home.run / "socket-folder"  # a long path: the socket moves to a short one
    if not link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        home.run.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="signer-"))
    return link.resolve() / "supervisor.sock"
