"""`signer`: what a caller of the system does, on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from portal_web.cli.doctor import doctor
from portal_web.cli.requests import fetch, request, status
from portal_web.cli.running import install
from portal_web.cli.sandbox import activation_code, people
from portal_web.cli.verify import verify_command

app = typer.Typer(
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


for _command in (request, status, fetch, people, activation_code, doctor):
    app.command(_command.__name__.replace("_", "-"))(_command)
app.command("verify")(verify_command)
