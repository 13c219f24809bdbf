"""`signer-keys user find|show|history|suspend|revoke`."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from grpc_api.clients.admin import PersonKey
from hsm_module.officers.finding import find_key, find_person, typed
from hsm_module.officers.keys import as_dict, certificate_dict, state_of
from hsm_module.officers.options import AsJson, Ticket, Why, Yes, confirm, grounds, session
from hsm_module.officers.running import OK, PARTLY, patiently, run
from hsm_module.officers.screen import complain, moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.admin.vault import MAX_BATCH, Ending, KeySummary, Outcome
from signer_core.errors import NotFoundError, SignerError
from signer_core.identifiers import KeyId
from signer_core.ports import KeyStatus

app = typer.Typer(
    no_args_is_help=True,
    help="People, found by RNOKPP, UNZR, serial, key or request; `-` asks for it.",
)
Who = Annotated[str, typer.Argument(help="RNOKPP, UNZR, serial, key or request; - asks.")]
OneKey = Annotated[str, typer.Option("--key", help="Only this one of the person's keys.")]
_ENDED = {
    Ending.SUSPEND: (KeyStatus.SUSPENDED, KeyStatus.RETIRED),
    Ending.REVOKE: (KeyStatus.RETIRED,),
}
_DONE = {Ending.SUSPEND: "suspended", Ending.REVOKE: "revoked"}


@dataclass(frozen=True, slots=True)
class _Order:
    """How keys are to end."""

    ending: Ending
    why: Grounds
    only: str  # key id, or how it begins; empty: all of the person
    yes: bool
    as_json: bool


@app.command()
def find(context: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """Find a person's keys."""
    run(lambda: _find(session(context), typed(who), as_json=as_json), as_json=as_json)


@app.command()
def show(context: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """Show a person's keys, with what the vault says of each."""
    run(lambda: _show(session(context), typed(who), as_json=as_json), as_json=as_json)


@app.command()
def history(
    context: typer.Context,
    who: Who,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Requests a key.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the requests to a person, newest first, without what they were about."""
    run(lambda: _history(session(context), typed(who), limit, as_json=as_json), as_json=as_json)


@app.command()
def suspend(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    who: Who,
    reason: Why,
    ticket: Ticket = "",
    key: OneKey = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Suspend a person's keys: they never sign again, and may still be revoked."""

    def work() -> Coroutine[Any, Any, int]:
        order = _Order(Ending.SUSPEND, grounds(reason, ticket), key, yes, as_json)
        return _end(session(context), typed(who), order)

    run(work, as_json=as_json)


@app.command()
def revoke(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    who: Who,
    reason: Why,
    ticket: Ticket = "",
    key: OneKey = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a person's keys and certificates for ever."""

    def work() -> Coroutine[Any, Any, int]:
        order = _Order(Ending.REVOKE, grounds(reason, ticket), key, yes, as_json)
        return _end(session(context), typed(who), order)

    run(work, as_json=as_json)


async def _find(who: Session, text: str, *, as_json: bool) -> int:
    async with who.signer() as signer:
        found = await find_person(signer, text)
    if as_json:
        rows = [{"key_id": one.key_id.hex(), **certificate_dict(one)} for one in found]
        print_json({"keys": rows})
        return OK
    print_table(
        ("person", "key", "enrolled", "certificate"),
        [
            (
                one.person_code or "-",
                one.key_id.hex(),
                moment(one.enrolled_at_s),
                one.status or "none yet",
            )
            for one in found
        ],
    )
    return OK


async def _show(who: Session, text: str, *, as_json: bool) -> int:
    people, states = await _states(who, text)
    if as_json:
        rows = [
            {**certificate_dict(one), **as_dict(states[one.key_id])}
            for one in people
            if one.key_id in states
        ]
        print_json({"keys": rows})
        return OK
    _print_states(people, states)
    return OK


async def _states(who: Session, text: str) -> tuple[Sequence[PersonKey], dict[KeyId, KeySummary]]:
    async with who.signer() as signer, who.vault() as vault:
        people = await find_person(signer, text)
        found = await vault.get_keys([one.key_id for one in people])
    return people, {key.key_id: key for key in found}


def _print_states(people: Sequence[PersonKey], states: dict[KeyId, KeySummary]) -> None:
    rows = []
    for one in people:
        key = states.get(one.key_id)
        state = "the vault does not know it" if key is None else state_of(key)
        rows.append(
            (
                one.person_code or "-",
                one.key_id.hex(),
                state,
                (key and key.ended_by) or "-",
                str(key.signatures) if key else "-",
                moment(one.enrolled_at_s),
                moment(one.not_after_s),
            )
        )
    print_table(("person", "key", "state", "why", "signatures", "enrolled", "valid until"), rows)


async def _history(who: Session, text: str, limit: int, *, as_json: bool) -> int:
    async with who.signer() as signer:
        people = await find_person(signer, text)
        past = [
            (one.key_id, request)
            for one in people
            for request in await signer.history(one.key_id, limit)
        ]
    past.sort(key=lambda pair: pair[1].created_at_s, reverse=True)
    if as_json:
        rows = [
            {
                "key_id": key_id.hex(),
                "request_id": one.request_id.hex(),
                "kind": one.kind,
                "status": one.status,
                "caller": one.caller,
                "created_at_s": one.created_at_s,
                "expires_at_s": one.expires_at_s,
                "files": one.files,
            }
            for key_id, one in past
        ]
        print_json({"requests": rows})
        return OK
    print_table(
        ("made", "request", "kind", "state", "files", "by", "key"),
        [
            (
                moment(one.created_at_s),
                one.request_id.hex(),
                one.kind,
                one.status,
                str(one.files),
                one.caller,
                key_id.hex()[:8],
            )
            for key_id, one in past
        ],
    )
    return OK


async def _end(who: Session, text: str, order: _Order) -> int:
    """Show what would end, ask, end it, and let the signer close the open requests."""
    people, states = await _states(who, text)
    chosen = await _choose(who, states, order.only)
    live = [key for key in chosen if key.status not in _ENDED[order.ending]]
    ids = [key.key_id for key in live]
    if not order.as_json:
        _print_states([one for one in people if one.key_id in ids] or people, states)
    done = _DONE[order.ending]
    if not live:
        raise NotFoundError(f"no key of this person is left to be {done}")
    question = f"{len(live)} of these will be {done} for ever. Sure?"
    confirm(question, yes=order.yes, as_json=order.as_json)
    outcomes = await end_keys(who, ids, order.ending, order.why)
    closed = await follow(who, ids, as_json=order.as_json)
    refused = [one for one in outcomes if one in (Outcome.ALTERED, Outcome.MISSING)]
    if order.as_json:
        words = {key_id.hex(): one for key_id, one in zip(ids, outcomes, strict=True)}
        print_json({"keys": words, "requests_closed": closed})
    else:
        say(f"{len(ids) - len(refused)} of {len(ids)} keys {done}; {closed} open requests closed")
        if refused:
            say(f"{len(refused)} keys were refused: their rows are altered or gone, see the audit")
    return PARTLY if refused else OK


async def _choose(who: Session, states: dict[KeyId, KeySummary], only: str) -> Sequence[KeySummary]:
    if not only:
        return list(states.values())
    async with who.vault() as vault:
        key_id = await find_key(vault, only)
    if key_id not in states:
        raise NotFoundError("this person has no such key")
    return [states[key_id]]


async def end_keys(
    who: Session, ids: Sequence[KeyId], ending: Ending, why: Grounds
) -> list[Outcome]:
    """End keys at the vault; harmless to repeat, so it is, while the vault is away."""
    outcomes: list[Outcome] = []
    async with who.vault() as vault:
        for start in range(0, len(ids), MAX_BATCH):
            batch = ids[start : start + MAX_BATCH]
            outcomes += await patiently(lambda batch=batch: vault.end_keys(batch, ending, why))  # type: ignore[misc]  # mypy cannot infer a default argument
    return outcomes


async def follow(who: Session, ids: Sequence[KeyId], *, as_json: bool) -> int:
    """Let the signer close open requests; the keys have ended whether it does or not."""
    closed = 0
    try:
        async with who.signer() as signer:
            for start in range(0, len(ids), MAX_BATCH):
                closed += await signer.follow_keys(ids[start : start + MAX_BATCH])
    except SignerError as error:
        if not as_json:
            complain(f"the keys have ended; the signer did not close their requests yet: {error}")
    return closed
