"""`make up`: start the system, show where it is, stay until Ctrl-C."""

import argparse
import sys
import time
from contextlib import suppress

from rich.markup import escape

from deploy import terminal
from deploy.home import REPOSITORY, Home
from deploy.layout import Layout
from deploy.supervision import StartError
from deploy.system import System, running
from deploy.terminal import Story, console
from deploy.watch import Watch

_PAGE = """
[bold]The system runs.[/] Everything listens on this machine only;
all but the portal and your phone with TLS.

  your phone    http://localhost:{simulator}   in the browser, for development
  portal        http://127.0.0.1:{portal}   certificates, CRLs, OCSP, timestamps: signed answers
  OpenID        http://127.0.0.1:{portal}/.well-known/openid-configuration   signing in at partners
  phones        127.0.0.1:{phone}   device certificate
  enrolment     127.0.0.1:{enrolment}   server certificate
  signer        127.0.0.1:{internal}   portal, officers
  vault         127.0.0.1:{vault}   signer only
  registrar     127.0.0.1:{registrar}   signer, developers' tools
  worker        127.0.0.1:{worker}   officers; carries alerts out
  logs          {logs}

[bold]Next, in another terminal[/]
{steps}

Ctrl-C stops everything.
"""
_STEPS = """  make partner                                  a site to sign in at with your phone
  make demo                                     all of the following, told with times
  scripts/run signer people                     made-up people and what happens to each
  scripts/run signer activation-code PERSON     a one-time code for one of them
  scripts/run signer-phone enrol CODE           a phone of theirs, with a PIN you choose
  scripts/run signer request FILE.pdf --person CODE-OF-PERSON \\
      --relying-party sandbox-bank --purpose "Why" --out signed
  scripts/run signer-phone requests             what the phone is asked
  scripts/run signer-phone sign ID
  scripts/run signer verify signed/FILE.signed.pdf"""


def main() -> None:
    """Run the system until Ctrl-C or `make down`."""
    with running(Home(REPOSITORY / "var"), Story().tell, _layout()) as system:
        if not system.ours:
            raise StartError("it runs already, in another terminal; stop it with: make down")
        console.print(_PAGE.format(**system.ports, logs=system.home.logs, steps=_STEPS))
        with suppress(KeyboardInterrupt):  # how it is meant to end
            _watch(system)


def _layout() -> Layout:
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--vaults", type=int, default=1, help="vault processes")
    parser.add_argument("--signers", type=int, default=1, help="signer processes")
    parser.add_argument("--database", help="PostgreSQL URL; {process} is vault, signer, ...")
    given = parser.parse_args()
    try:
        return Layout(given.vaults, given.signers, given.database)
    except ValueError as error:
        raise StartError(str(error)) from None


def _watch(system: System) -> None:
    """Tell what happens to the processes; return when the supervisor has ended."""
    watch = Watch(system.home)
    while system.supervisor.pid() is not None:
        for line in watch.tell(system.supervisor.find_processes()):
            console.print(escape(line), soft_wrap=True)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(terminal.run(main))
