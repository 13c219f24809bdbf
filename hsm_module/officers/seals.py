"""`signer-keys seal add|list|show|retire`."""

from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.officers.options import (
    AsJson,
    Confirm,
    Ticket,
    Why,
    Yes,
    confirm,
    confirm_by_typing,
    grounds,
    session,
)
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.admin.seals import SealOrder, SealSummary
from signer_core.errors import NotFoundError
from signer_core.pki.organisation import Organisation

app = typer.Typer(no_args_is_help=True, help="Seals of organisations, and who may use them.")
SealId = Annotated[str, typer.Argument(help="1 to 58 of a-z, 0-9 and -.")]


@app.command()
def add(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    seal_id: SealId,
    organisation: Annotated[str, typer.Option(help="The organisation's name, as registered.")],
    edrpou: Annotated[str, typer.Option(help="Its number in the register: 8 digits.")],
    caller: Annotated[
        list[str], typer.Option(help="DNS name of a process that may use it; repeatable.")
    ],
    reason: Why,
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a seal: key, certificate, rule. Of one that is there: change who may use it.

    Killed at any moment: repeat it.
    """

    def order() -> SealOrder:
        return SealOrder(seal_id, Organisation(organisation, edrpou), frozenset(caller))

    run(
        lambda: _add(session(context), order(), grounds(reason, ticket), yes, as_json),
        as_json=as_json,
    )


@app.command("list")
def list_seals(context: typer.Context, as_json: AsJson = False) -> None:
    """List every seal there ever was."""
    run(lambda: _list(session(context), as_json=as_json), as_json=as_json)


@app.command()
def show(context: typer.Context, seal_id: SealId, as_json: AsJson = False) -> None:
    """Show one seal, with its certificate."""
    run(lambda: _show(session(context), seal_id, as_json=as_json), as_json=as_json)


@app.command()
def retire(
    context: typer.Context,
    seal_id: SealId,
    reason: Why,
    ticket: Ticket = "",
    typed: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a seal's certificates and destroy its key, for good. What it sealed stays sealed.

    Killed at any moment: repeat it.
    """
    run(
        lambda: _retire(session(context), seal_id, grounds(reason, ticket), typed, as_json),
        as_json=as_json,
    )


async def _add(who: Session, order: SealOrder, why: Grounds, yes: bool, as_json: bool) -> int:
    names = ", ".join(sorted(order.callers))
    question = f"{order.seal_id}: seals as {order.organisation.name}, for {names}. Sure?"
    confirm(question, yes=yes, as_json=as_json)
    async with who.vault() as vault:
        made = await vault.add_seal(order, why)
    if as_json:
        print_json({"seal": as_dict(made)})
        return OK
    say(f"{order.seal_id} seals as {order.organisation.name}, for {names}")
    say("Copy the token's folder and its manifest to your backup now: both may have a new key.")
    return OK


async def _list(who: Session, *, as_json: bool) -> int:
    async with who.vault() as vault:
        found = await vault.list_seals()
    if as_json:
        print_json({"seals": [as_dict(one) for one in found]})
        return OK
    print_table(
        ("seal", "organisation", "EDRPOU", "callers", "state", "until"),
        [
            (
                one.order.seal_id,
                one.order.organisation.name,
                one.order.organisation.edrpou,
                ", ".join(sorted(one.order.callers)),
                state_of(one),
                moment(_ends_at_s(one)),
            )
            for one in found
        ],
    )
    return OK


async def _show(who: Session, seal_id: str, *, as_json: bool) -> int:
    async with who.vault() as vault:
        found = {one.order.seal_id: one for one in await vault.list_seals()}
    if seal_id not in found:
        raise NotFoundError("there is no such seal")
    seal = found[seal_id]
    if as_json:
        print_json({"seal": as_dict(seal)})
        return OK
    lines = [
        ("seal", seal_id),
        ("organisation", seal.order.organisation.name),
        ("EDRPOU", seal.order.organisation.edrpou),
        ("may be used by", ", ".join(sorted(seal.order.callers)) or "nobody"),
        ("state", state_of(seal)),
        ("retired at", moment(seal.retired_at_s)),
        ("certificate", seal.status or "-"),
        ("valid until", moment(_ends_at_s(seal))),
    ]
    print_table(("", ""), lines)
    for line in _pem(seal).splitlines():
        say(line)
    return OK


async def _retire(
    who: Session, seal_id: str, why: Grounds, typed: str | None, as_json: bool
) -> int:
    warning = f"The seal {seal_id} will seal nothing more, for good."
    confirm_by_typing(warning, seal_id, typed, as_json=as_json)
    async with who.vault() as vault:
        ended = await vault.retire_seal(seal_id, why)
    if as_json:
        print_json({"seal": as_dict(ended)})
        return OK
    say(f"{seal_id} is retired: its certificates are revoked, its key is destroyed")
    say("Copy the token's folder and its manifest to your backup now. If the seal is in the")
    say("vault's settings or in keys.toml, take it out there.")
    return OK


def state_of(seal: SealSummary) -> str:
    """Return the one word for a seal's state."""
    return "retired" if seal.retired_at_s else "in use"


def as_dict(seal: SealSummary) -> dict[str, Any]:
    """Return a seal for JSON."""
    return {
        "seal_id": seal.order.seal_id,
        "organisation": seal.order.organisation.name,
        "edrpou": seal.order.organisation.edrpou,
        "callers": sorted(seal.order.callers),
        "state": state_of(seal),
        "retired_at_s": seal.retired_at_s,
        "certificate": _pem(seal),
        "certificate_status": seal.status,
        "not_after_s": _ends_at_s(seal),
    }


def _pem(seal: SealSummary) -> str:
    if not seal.certificate:
        return ""
    certificate = x509.load_der_x509_certificate(seal.certificate)
    return certificate.public_bytes(Encoding.PEM).decode()


def _ends_at_s(seal: SealSummary) -> int:
    if not seal.certificate:
        return 0
    certificate = x509.load_der_x509_certificate(seal.certificate)
    return int(certificate.not_valid_after_utc.timestamp())
