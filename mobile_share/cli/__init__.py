"""`signer-phone`: a phone on the command line, thin over the library beside it."""

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from grpc_api.clients.lazy_commands import LazyGroup
from mobile_share.cli.context import KeyStoreKind, Options
from mobile_share.cli.running import install


class Commands(LazyGroup):
    """Where the commands are."""

    places: ClassVar = {
        "enrol": "mobile_share.cli.enrol:enrol",
        "requests": "mobile_share.cli.requests:requests",
        "open": "mobile_share.cli.offers:open_offer",
        "show": "mobile_share.cli.requests:show",
        "sign": "mobile_share.cli.sign:sign",
        "confirm": "mobile_share.cli.offers:confirm",
        "decline": "mobile_share.cli.requests:decline",
        "history": "mobile_share.cli.requests:history",
        "watch": "mobile_share.cli.requests:watch",
        "pin-change": "mobile_share.cli.change:pin_change",
        "refresh": "mobile_share.cli.change:refresh",
        "renew": "mobile_share.cli.renew:renew",
        "suspend": "mobile_share.cli.emergency:suspend",
        "revoke": "mobile_share.cli.emergency:revoke",
        "replace": "mobile_share.cli.emergency:replace",
        "suspend-code": "mobile_share.cli.emergency:suspend_code",
        "status": "mobile_share.cli.status:status",
    }


app = typer.Typer(
    cls=Commands,
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
