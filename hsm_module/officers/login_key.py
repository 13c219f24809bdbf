"""`signer-keys login-key rotate|status`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.login.ports import LoginKeys

app = typer.Typer(no_args_is_help=True, help="The keys that sign ID tokens (login at partners).")


@app.command()
def rotate(
    context: typer.Context,
    reason: Why,
    ticket: Ticket = "",
    drop: Annotated[
        bool,
        typer.Option(
            "--drop", help="The key may be in wrong hands: no longer publish what it signed with."
        ),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let the next key sign, and make another next one. It happens by itself once a month."""
    why = grounds(reason, ticket)
    run(lambda: _rotate(session(context), why, drop, yes, as_json), as_json=as_json)


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show which key signs, which will, and which did."""
    run(lambda: _status(session(context), as_json=as_json), as_json=as_json)


async def _rotate(who: Session, why: Grounds, drop: bool, yes: bool, as_json: bool) -> int:
    async with who.vault() as vault:
        known = await vault.login_keys()
        current, following = known.keys[0].kid, known.keys[1].kid
        what = f"Let {following} sign instead of {current}?"
        if drop:
            what = f"{what} People who signed in last must do it again at partners that check."
        confirm(what, yes=yes, as_json=as_json)
        now = await vault.rotate_login_key(why, drop=drop)
    _show(now, as_json=as_json)
    if not as_json:
        say("Copy the token's folder and its manifest to your backup now: both have a new key.")
    return OK


async def _status(who: Session, *, as_json: bool) -> int:
    async with who.vault() as vault:
        _show(await vault.login_keys(), as_json=as_json)
    return OK


def _show(keys: LoginKeys, *, as_json: bool) -> None:
    since = datetime.fromtimestamp(keys.rotated_at_s, UTC).isoformat()
    if as_json:
        print_json({"since": since, "keys": {one.kid: one.role.value for one in keys.keys}})
        return
    print_table(("key", "role"), [(one.kid, one.role.value) for one in keys.keys])
    say(f"Since {since}.")
