"""The command line of the ceremony: reads the plan, tells the story, one line for a failure."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from hsm_module.ceremony.home import Home
from hsm_module.ceremony.plan import Plan, read_keys, read_relying_parties
from hsm_module.ceremony.run import run_ceremony
from hsm_module.token.site import find_module
from signer_core.errors import InvalidRequestError, SignerError
from signer_core.pki.countries import bundled_country
from signer_core.pki.country import parse_country

TRUST_URL: Final = (
    "Address of the portal, for the root's CRL in authorities' certificates: http://.."
)
CONFIG: Final = Path(__file__).parents[2] / "softhsm_config"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def ceremony(  # noqa: PLR0913, PLR0917  the options of the command
    home: Annotated[Path, typer.Option(help="Folder of the deployment's state.")] = Path("var"),
    module: Annotated[Path | None, typer.Option(help="Path of libsofthsm2.so.")] = None,
    config: Annotated[Path, typer.Option(help="Folder of keys.toml and its neighbours.")] = CONFIG,
    country: Annotated[str, typer.Option(help="Country profile, or a path to one.")] = "ua",
    organization: Annotated[str, typer.Option(help="O of the authorities.")] = "Sandbox",
    vault_id: Annotated[str, typer.Option(help="Name of the vault.")] = "vault-1",
    trust_url: Annotated[str, typer.Option(help=TRUST_URL)] = "",
) -> None:
    """Make tokens, keys, certificates and signed records; repeat it to complete a broken run."""
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    try:
        found = find_module(module, os.environ)
        plan = make_plan(found, config, country, organization, vault_id, trust_url)
        run_ceremony(Home(home.resolve()), plan, datetime.now(UTC), _teller(console))
    except (SignerError, OSError) as error:
        complaint = f"[red]ceremony failed:[/red] {escape(str(error))}"
        Console(stderr=True, highlight=False, soft_wrap=True).print(complaint)
        raise typer.Exit(1) from None
    console.print(f"[green]ready[/green] in {time.monotonic() - started:.1f} s: {home}")
    if (home / "root-token").exists():
        console.print(
            f"Now take [bold]{home / 'root-token'}[/bold] off this machine, to two places:"
            " it holds the root key, and the SO PIN that can reset the vault's PIN."
        )


def make_plan(
    module: Path,
    config: Path,
    country: str,
    organization: str,
    vault_id: str,
    trust_url: str,
) -> Plan:
    """Read the plan: the files of `config`, and who is to be named.

    Raises:
        InvalidRequestError: a file or an address is not what it must be.
        OSError: one cannot be read.
    """
    if trust_url and not trust_url.startswith("http://"):
        raise InvalidRequestError("the trust URL begins with http://: verifiers fetch CRLs so")
    return Plan(
        module=module,
        conf_template=(config / "softhsm2.conf.template").read_text(encoding="utf-8"),
        keys=read_keys(config / "keys.toml"),
        relying_parties=read_relying_parties(config / "relying-parties.toml"),
        country=parse_country(_country_text(country)),
        organization=organization,
        vault_id=vault_id,
        trust_url=trust_url.rstrip("/") or None,
    )


def _country_text(country: str) -> str:
    path = Path(country)
    return path.read_text(encoding="utf-8") if path.suffix == ".toml" else bundled_country(country)


def _teller(console: Console) -> Callable[[str, list[str]], None]:
    def tell(what: str, made: list[str]) -> None:
        result = f"made {', '.join(made)}" if made else "complete already"
        console.print(f"  {what:<22}{result}")

    return tell
