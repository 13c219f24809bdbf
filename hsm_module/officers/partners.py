"""`signer-keys partner add|show|list|suspend|resume|secret`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.partner_files import describe
from hsm_module.officers.running import OK, patiently, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.partners.ports import MAX_PAGE, VaultPartner
from signer_core.pki.relying_party import read_claims

app = typer.Typer(no_args_is_help=True, help="Who may ask people for something, and for what.")
PartnerId = Annotated[str, typer.Argument(help="Id in the registry; the OAuth client id.")]
_ORDER: Final = ("name_uk", "name_en", "scopes", "return_addresses", "callback_address", "keys")


@app.command()
def add(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    reason: Why,
    record: Annotated[
        Path | None, typer.Argument(help="File of the record, TOML or JSON (docs/partners.md).")
    ] = None,
    partner_id: Annotated[str, typer.Option("--id", help="1 to 63 of a-z, 0-9 and -.")] = "",
    name_uk: Annotated[str, typer.Option(help="Name in Ukrainian.")] = "",
    name_en: Annotated[str, typer.Option(help="Name in English.")] = "",
    logo_sha256: Annotated[str, typer.Option(help="SHA-256 of the logo file, hex.")] = "",
    return_address: Annotated[
        list[str] | None, typer.Option(help="Exact address; repeat for more.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat for more.")] = None,
    callback_address: Annotated[str, typer.Option(help="Where results are posted to.")] = "",
    key: Annotated[
        list[Path] | None, typer.Option(help="File of a public JWK; repeat for more.")
    ] = None,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign a partner's record, for the first time or anew; options win over the file."""
    options: dict[str, object] = {
        "id": partner_id,
        "name_uk": name_uk,
        "name_en": name_en,
        "logo_sha256": logo_sha256,
        "return_addresses": return_address,
        "scopes": scope,
        "callback_address": callback_address,
    }

    async def sign() -> int:
        description = describe(record, options, key or [])
        return await _add(session(context), description, grounds(reason, ticket), yes, as_json)

    run(sign, as_json=as_json)


@app.command()
def show(context: typer.Context, partner_id: PartnerId, as_json: AsJson = False) -> None:
    """Show a partner as the vault has it."""
    run(lambda: _show(session(context), partner_id, as_json=as_json), as_json=as_json)


@app.command("list")
def list_partners(
    context: typer.Context,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also those that developers made.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List partners."""
    run(lambda: _list(session(context), sandbox=sandbox, as_json=as_json), as_json=as_json)


@app.command()
def suspend(
    context: typer.Context,
    partner_id: PartnerId,
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a partner ask for nothing more; what it has open is withdrawn."""
    why = grounds(reason, ticket)
    run(
        lambda: _set_active(session(context), partner_id, why, False, yes, as_json),
        as_json=as_json,
    )


@app.command()
def resume(
    context: typer.Context,
    partner_id: PartnerId,
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a suspended partner ask again."""
    why = grounds(reason, ticket)
    run(lambda: _set_active(session(context), partner_id, why, True, yes, as_json), as_json=as_json)


@app.command()
def secret(
    context: typer.Context,
    partner_id: PartnerId,
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a partner's secret, in place of the one before it; it is shown once."""
    why = grounds(reason, ticket)
    run(lambda: _secret(session(context), partner_id, why, yes, as_json), as_json=as_json)


async def _add(who: Session, description: str, why: Grounds, yes: bool, as_json: bool) -> int:
    confirm(f"The registry will sign {description}\nSure?", yes=yes, as_json=as_json)
    async with who.vault() as vault:
        partner = await vault.sign_partner(description, why)
    await _tell_signer(who, partner.partner_id)
    _print(partner, as_json=as_json)
    return OK


async def _show(who: Session, partner_id: str, *, as_json: bool) -> int:
    async with who.vault() as vault:
        partner = await vault.get_partner(partner_id)
    _print(partner, as_json=as_json)
    return OK


async def _list(who: Session, *, sandbox: bool, as_json: bool) -> int:
    found = [one for one in await _all(who) if sandbox or not one.sandbox]
    if as_json:
        print_json({"partners": [_as_json(one) for one in found]})
        return OK
    rows = [
        (
            one.partner_id,
            _state(one),
            moment(one.changed_at_s),
            str(read_claims(one.record).get("name_uk", "-")),
            ",".join(map(str, _scopes(one))),
        )
        for one in found
    ]
    print_table(("partner", "state", "since", "name", "scopes"), rows)
    return OK


async def _all(who: Session) -> Sequence[VaultPartner]:
    found: list[VaultPartner] = []
    async with who.vault() as vault:
        while page := await vault.list_partners(found[-1].partner_id if found else "", MAX_PAGE):
            found += page
    return found


async def _set_active(
    who: Session, partner_id: str, why: Grounds, active: bool, yes: bool, as_json: bool
) -> int:
    what = "may ask people again" if active else "may ask nobody any more"
    confirm(f"{partner_id} {what}. Sure?", yes=yes, as_json=as_json)
    async with who.vault() as vault:
        partner = await vault.set_partner_active(partner_id, why, active=active)
    withdrawn = await _tell_signer(who, partner_id)
    if as_json:
        print_json(_as_json(partner) | {"withdrawn": withdrawn})
    else:
        say(f"{partner_id} {what}; {withdrawn} of its requests were withdrawn")
    return OK


async def _secret(who: Session, partner_id: str, why: Grounds, yes: bool, as_json: bool) -> int:
    confirm("The secret it has now will open nothing any more. Sure?", yes=yes, as_json=as_json)
    async with who.signer() as signer:
        made = await signer.make_partner_secret(partner_id, why)
    if as_json:
        print_json({"partner_id": partner_id, "secret": made})
    else:
        say(made)
    return OK


async def _tell_signer(who: Session, partner_id: str) -> int:
    """Let the signer ask the vault; repeated while it is away, for the vault has decided."""
    async with who.signer() as signer:
        return await patiently(lambda: signer.follow_partner(partner_id))


def _print(partner: VaultPartner, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(partner))
        return
    claims = read_claims(partner.record)
    say(f"{partner.partner_id}: {_state(partner)} since {moment(partner.changed_at_s)}")
    for name in _ORDER:
        say(f"  {name:17} {json.dumps(claims.get(name), ensure_ascii=False)}")


def _as_json(partner: VaultPartner) -> dict[str, Any]:
    return {
        "partner_id": partner.partner_id,
        "state": _state(partner),
        "sandbox": partner.sandbox,
        "changed_at_s": partner.changed_at_s,
        "claims": dict(read_claims(partner.record)),
        "record": partner.record,
    }


def _scopes(partner: VaultPartner) -> Sequence[object]:
    scopes = read_claims(partner.record).get("scopes", [])
    return scopes if isinstance(scopes, list) else []


def _state(partner: VaultPartner) -> str:
    if partner.altered:
        return "ALTERED"
    return "active" if partner.active else "suspended"
