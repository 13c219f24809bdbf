"""`make partner`: a made-up partner's site at the running system, to sign in at with the phone."""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
from typing import Final

from deploy import ports, terminal
from deploy.home import REPOSITORY, Home, write_whole
from deploy.supervision import StartError
from deploy.terminal import console
from grpc_api.clients.partners import NewSandboxPartner
from portal_web.cli.connection import System as Connection
from signer_core.errors import SignerError, UnavailableError

_NAME: Final = "Вигадана книгарня"
_PAGE: Final = """
[bold]The partner's site runs.[/]

  the site      http://127.0.0.1:{port}   sign in here
  your phone    http://localhost:{simulator}   activate one for a made-up person, then scan the code

Ctrl-C stops the site, not the system.
"""


def main() -> None:
    """Make the partner the first time, and run its site until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make partner", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="of the site")
    port, home = parser.parse_args().port, Home(REPOSITORY / "var")
    _check_free(port)
    listeners = ports.load(home.ports)
    if "simulator" not in listeners:
        raise StartError("no system is here yet: start it in another terminal by `make up`")
    client_id = _client(home, port)
    console.print(_PAGE.format(port=port, simulator=listeners["simulator"]))
    words = ["--issuer", f"http://127.0.0.1:{listeners['portal']}", "--client-id", client_id]
    words += ["--client-secret-file", str(home.of("partner") / "secret"), "--port", str(port)]
    subprocess.run(  # noqa: S603  our own example
        [sys.executable, "-W", "ignore", "-m", "examples.partner_oidc", *words],
        cwd=REPOSITORY,
        check=False,
    )


def _client(home: Home, port: int) -> str:
    """Return the id of the partner with this site, made now if there is none yet."""
    known = home.of("partner") / "client.json"
    if known.is_file() and (kept := json.loads(known.read_text()))["port"] == port:
        return str(kept["client_id"])
    wish = NewSandboxPartner(_NAME, [f"http://127.0.0.1:{port}/return"])

    async def make() -> tuple[str, str]:
        async with Connection(home.root).partners() as partners:
            made = await partners.create_sandbox(wish)
        return made.partner_id, made.secret

    try:
        client_id, secret = asyncio.run(make())
    except UnavailableError:
        raise StartError(
            "the system does not run: start it in another terminal by `make up`"
        ) from None
    except SignerError as error:
        raise StartError(f"no partner was made: {error}") from None
    write_whole(home.of("partner") / "secret", secret)
    write_whole(known, json.dumps({"client_id": client_id, "port": port}))
    return client_id


def _check_free(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise StartError(f'port {port} is taken: make partner ARGS="--port 8090"') from None


if __name__ == "__main__":
    sys.exit(terminal.run(main))
