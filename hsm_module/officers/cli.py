"""`signer-keys`: the commands, and the options that all of them share."""

import importlib
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from grpc_api.clients.lazy_commands import LazyGroup
from hsm_module.officers.options import AsJson
from hsm_module.officers.running import install
from hsm_module.officers.session import Place


class Commands(LazyGroup):
    """Where the commands are; `init` is here."""

    places: ClassVar = {
        "key": "hsm_module.officers.keys:app",
        "user": "hsm_module.officers.users:app",
        "mass": "hsm_module.officers.mass:app",
        "process": "hsm_module.officers.processes:app",
        "seal": "hsm_module.officers.seals:app",
        "kek": "hsm_module.officers.kek:app",
        "login-key": "hsm_module.officers.login_key:app",
        "deadletter": "hsm_module.officers.letters:app",
        "audit": "hsm_module.officers.audit:app",
        "officer": "hsm_module.officers.staff:app",
        "partner": "hsm_module.officers.partners:app",
        "doctor": "hsm_module.officers.checkup:doctor",
    }


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # an officer gets a sentence, not our source code
    help="What officers do: keys, people, partners, KEKs, the audit log (docs/officers.md).",
)


@app.callback()
def main(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(envvar="SIGNER_HOME", help="Folder of the running system.")
    ] = Path("var"),
    key_file: Annotated[
        Path | None,
        typer.Option(envvar="SIGNER_KEYS_FILE", help="Your key file; default: the only one."),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            envvar="SIGNER_KEYS_PASSPHRASE_FILE",
            help="File of mode 0600 with the passphrase; default: it is asked for.",
        ),
    ] = None,
) -> None:
    """Take the options that every command shares."""
    install()
    context.obj = Place(home, key_file, passphrase_file)


@app.command(name="init")
def init(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    officer: Annotated[str, typer.Option(help="Id of the first officer.")] = "first",
    module: Annotated[Path | None, typer.Option(help="Path of libsofthsm2.so.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Folder of keys.toml; default: this program's.")
    ] = None,
    vault_id: Annotated[str, typer.Option(help="Name of the vault.")] = "vault-1",
    trust_url: Annotated[
        str, typer.Option(help="Address of the portal, for the root's CRL: http://..")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Although there are officers: all lost their files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Development ceremony: tokens, keys, CAs, random PINs, the first officer; repeatable."""
    # PKCS#11 and the database are loaded for this one command only: half a second
    first = importlib.import_module("hsm_module.officers.first")
    wishes = first.Wishes(officer, module, config, vault_id, again, trust_url)
    first.init(context.obj, wishes, as_json=as_json)
