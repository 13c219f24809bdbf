"""`signer`: what a caller of the system does, on the command line."""

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from grpc_api.clients.lazy_commands import LazyGroup
from portal_web.cli.running import install


class Commands(LazyGroup):
    """Where the commands are."""

    places: ClassVar = {
        "request": "portal_web.cli.requests:request",
        "status": "portal_web.cli.requests:status",
        "fetch": "portal_web.cli.requests:fetch",
        "people": "portal_web.cli.sandbox:people",
        "activation-code": "portal_web.cli.sandbox:activation_code",
        "doctor": "portal_web.cli.doctor:doctor",
        "verify": "portal_web.cli.verify:verify_command",
    }


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a user gets a sentence, not our source code
    help="Ask people for signatures on PDFs, and verify signed ones.",
)


@app.callback()
def main(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(envvar="SIGNER_HOME", help="Folder of the running system.")
    ] = Path("var"),
) -> None:
    """Take the options that every command shares."""
    install()
    context.obj = home
