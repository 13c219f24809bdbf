"""`signer-keys init`: the ceremony, and the first officer, by who holds the token's PIN.

For development, and for the first day of a deployment: whoever can read the PIN file of the
vault can do it, and nobody else. Afterwards officers let officers in.
"""

import os
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hsm_module.admin.officers import OfficerDesk
from hsm_module.authorities import find_authorities
from hsm_module.ceremony.cli import CONFIG, make_plan
from hsm_module.ceremony.home import Home
from hsm_module.ceremony.plan import Plan
from hsm_module.ceremony.run import run_ceremony
from hsm_module.marks.watermarks import HighWaterMarks
from hsm_module.officers.errors import RefusedError
from hsm_module.officers.key_file import certificate_path, make_key_file, open_key_file
from hsm_module.officers.passphrase import choose_passphrase
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import print_json, say
from hsm_module.officers.session import Place
from hsm_module.officers.staff import write
from hsm_module.storage.store import MIGRATIONS, Store
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.site import TokenSite, find_module, read_pin
from signer_core.admin.officers import Grounds, Reason, Role, check_officer_id
from signer_core.audit.events import Actor
from signer_core.audit.provenance import acting
from signer_core.storage.engine import make_engine, upgrade


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command."""

    officer: str
    module: Path | None
    config: Path | None
    vault_id: str
    again: bool  # although there are officers: all of them lost their key files
    trust_url: str  # of the portal; empty: authorities name no CRL


def init(place: Place, wishes: Wishes, *, as_json: bool) -> None:
    """Make tokens, keys, CAs, random PINs and the first officer; repeat it to complete.

    Raises:
        typer.Exit: always, with the exit code.
    """
    run(lambda: _init(place, wishes, as_json=as_json), as_json=as_json)


async def _init(place: Place, wishes: Wishes, *, as_json: bool) -> int:
    officer = wishes.officer
    check_officer_id(officer)
    home = Home(place.home.resolve())
    module, config = find_module(wishes.module, os.environ), wishes.config or CONFIG
    plan = make_plan(module, config, "ua", "Sandbox", wishes.vault_id, wishes.trust_url)
    made: dict[str, list[str]] = {}
    run_ceremony(home, plan, datetime.now(UTC), made.__setitem__)
    key_file = place.key_file or home.path / "officers" / f"{officer}.key"
    await first_officer(home, plan, place, wishes, key_file)
    if as_json:
        print_json({"home": str(home.path), "made": made, "key_file": str(key_file)})
        return OK
    for what, names in made.items():
        say(f"  {what:<22}{'made ' + ', '.join(names) if names else 'complete already'}")
    say(f"The first officer is {officer}; the key file is {key_file}.")
    if (home.path / "root-token").exists():
        say(f"Now take {home.path / 'root-token'} off this machine: it holds the root key.")
    return OK


async def first_officer(
    home: Home, plan: Plan, place: Place, wishes: Wishes, key_file: Path
) -> None:
    """Let the first officer in, if there is none.

    Raises:
        RefusedError: there is one.
        SignerError: the token or the database cannot be used.
    """
    site = TokenSite(plan.module, home.serving.conf, plan.keys.serving.token_label)
    manifest = read_manifest(home.serving.manifest)
    token = await HsmToken.open(site, read_pin(home.serving.pin), manifest)
    url = database_url(home)
    try:
        await upgrade(url, MIGRATIONS)
        ca = await find_authorities(token, home.public / "ca-chain.pem", home.public / "root.pem")
        async with _store(home, url, token) as store:
            desk = OfficerDesk(store, token, ca.infrastructure, lambda: datetime.now(UTC))
            known = [one.officer_id for one in await desk.all() if one.active]
            if known and not wishes.again:
                raise RefusedError(f"there are officers already: {', '.join(known)}; ask one")
            passphrase = choose_passphrase(place.passphrase_file)
            if key_file.exists():  # of a run that was killed here
                key = open_key_file(key_file, passphrase)
            else:
                key = make_key_file(key_file, wishes.officer, passphrase)
            with acting(Actor("process", "signer-keys-init")):
                pem = await desk.add(
                    wishes.officer, Role.OFFICER, key.csr(), Grounds(Reason.SCHEDULED)
                )
            write(certificate_path(key_file), pem)
    finally:
        await token.close()


def database_url(home: Home) -> str:
    """Return the vault's database: that of its settings, else the file of a new deployment."""
    settings = home.path / "vault" / "vault.toml"
    if settings.is_file():
        return str(tomllib.loads(settings.read_text())["database_url"])
    return f"sqlite+aiosqlite:///{home.path / 'vault' / 'vault.db'}"


@asynccontextmanager
async def _store(home: Home, url: str, token: HsmToken) -> AsyncIterator[Store]:
    marks = HighWaterMarks(home.path / "vault" / "high-water-marks")
    engine = make_engine(url)
    try:
        yield Store(engine, token, marks)
    finally:
        await engine.dispose()
        marks.close()
