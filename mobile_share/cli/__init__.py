"""`signer-phone`: a phone on the command line, thin over the library beside it."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_share.cli import change, emergency, enrol, requests, sign, status
from mobile_share.cli.context import KeyStoreKind, Options
from mobile_share.cli.running import install

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would print local variables, a PIN among them
    help="Half of your signing key lives here, the other half in the vault; your PIN joins them"
    " for one signature.",
)


@app.callback()
def main(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(envvar="SIGNER_PHONE_HOME", help="The phone's folder.")
    ] = Path("~/.signer-phone"),
    key_store: Annotated[
        KeyStoreKind, typer.Option(help="Where the device secret is kept.")
    ] = KeyStoreKind.FILE,
) -> None:
    """Take the options that every command shares."""
    install()
    context.obj = Options(home.expanduser(), key_store)


for _command in (
    enrol.enrol,
    requests.requests,
    requests.show,
    sign.sign,
    requests.decline,
    requests.watch,
    change.pin_change,
    change.refresh,
    emergency.suspend,
    emergency.revoke,
    emergency.replace,
    emergency.suspend_code,
    status.status,
):
    app.command()(_command)
