"""`signer-keys deadletter list|replay`: jobs that the worker gave up."""

from dataclasses import asdict
from typing import Annotated

import typer

from grpc_api.clients.admin import AdminClient
from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.errors import InvalidRequestError, NotFoundError

app = typer.Typer(no_args_is_help=True, help="Callbacks, alerts, repairs that were given up.")
_ALL = 1000  # that the signer lists at once


@app.command("list")
def list_letters(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=_ALL, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the jobs that were given up after a day of tries."""
    run(lambda: _list(session(context), limit, as_json=as_json), as_json=as_json)


@app.command()
def replay(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    reason: Why,
    job: Annotated[str, typer.Argument(help="Id of a job; none with --about.")] = "",
    about: Annotated[str, typer.Option(help="All callbacks of this partner.")] = "",
    ticket: Ticket = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Have the worker try a job again, or all that were given up of one partner."""
    run(
        lambda: _replay(session(context), (job, about), grounds(reason, ticket), yes, as_json),
        as_json=as_json,
    )


async def _list(who: Session, limit: int, *, as_json: bool) -> int:
    async with who.signer() as signer:
        letters = await signer.dead_letters(limit)
    if as_json:
        print_json({"dead_letters": [asdict(one) for one in letters]})
        return OK
    cells = [
        (one.job_id, one.kind, one.about or "-", moment(one.given_up_at_s), one.reason)
        for one in letters
    ]
    print_table(("job", "kind", "partner", "given up", "because"), cells)
    return OK


async def _replay(
    who: Session, which: tuple[str, str], why: Grounds, yes: bool, as_json: bool
) -> int:
    async with who.signer() as signer:
        chosen = await _choose(signer, *which)
        confirm(f"{len(chosen)} jobs will be tried again. Sure?", yes=yes, as_json=as_json)
        for job_id in chosen:
            await signer.replay(job_id, why)
    if as_json:
        print_json({"replayed": [one.hex() for one in chosen]})
    else:
        say(f"{len(chosen)} jobs will be tried again within seconds")
    return OK


async def _choose(signer: AdminClient, job: str, about: str) -> list[bytes]:
    if bool(job) == bool(about):
        raise InvalidRequestError("name one job, or a partner by --about")
    if job:
        return [_parse_id(job)]
    letters = [one for one in await signer.dead_letters(_ALL) if one.about == about]
    if not letters:
        raise NotFoundError("nothing of this partner was given up")
    return [bytes.fromhex(one.job_id) for one in letters]


def _parse_id(job: str) -> bytes:
    try:
        found = bytes.fromhex(job)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise InvalidRequestError("a job has an id of 32 hexadecimal digits")
    return found
