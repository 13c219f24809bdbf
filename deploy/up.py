"""`make up`: start the system, show where it is, stay until Ctrl-C."""

import sys
import time

from deploy import terminal
from deploy.home import REPOSITORY, Home
from deploy.supervision import StartError
from deploy.system import System, running
from deploy.terminal import Story, console

_PAGE = """
[bold]The system runs.[/] Everything listens on this machine only, with TLS.

  phones        127.0.0.1:{phone}   device certificate
  enrolment     127.0.0.1:{enrolment}   server certificate
  signer        127.0.0.1:{internal}   portal, officers
  vault         127.0.0.1:{vault}   signer only
  registrar     127.0.0.1:{registrar}   signer, developers' tools
  logs          {logs}

[bold]Next, in another terminal[/]
{steps}

Ctrl-C stops everything.
"""
_STEPS = """  make demo                         a made-up person signs a PDF, on this system
  make down                         stop it from there"""


def main() -> None:
    """Run the system until Ctrl-C or `make down`."""
    with running(Home(REPOSITORY / "var"), Story().tell) as system:
        if not system.ours:
            raise StartError("it runs already, in another terminal; stop it with: make down")
        console.print(_PAGE.format(**system.ports, logs=system.home.logs, steps=_STEPS))
        _watch(system)


def _watch(system: System) -> None:
    """Return when the supervisor has ended; say so when a process was started again."""
    pids = _pids(system)
    while system.supervisor.pid() is not None:
        time.sleep(1)
        now = _pids(system)
        for name in now.keys() & pids.keys():
            if now[name] != pids[name]:
                console.print(f"{name} ended and was started again (pid {now[name]})")
        pids |= now


def _pids(system: System) -> dict[str, int]:
    return {
        process.name: process.pid for process in system.supervisor.find_processes() if process.pid
    }


if __name__ == "__main__":
    sys.exit(terminal.run(main))
