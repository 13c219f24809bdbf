"""`signer-keys key list|show|usage`."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from grpc_api.clients.vault_admin import VaultAdminClient
from hsm_module.officers.finding import find_key
from hsm_module.officers.options import AsJson, session
from hsm_module.officers.running import OK, PARTLY, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.vault import MAX_PAGE, KeySummary
from signer_core.ports import KeyStatus

app = typer.Typer(no_args_is_help=True, help="Keys of people, as the vault has them.")
_COLUMNS = ("key", "state", "why", "tries", "signatures", "shares", "KEK")


@app.command("list")
def list_keys(
    context: typer.Context,
    status: Annotated[KeyStatus | None, typer.Option(help="Only those in this state.")] = None,
    kek: Annotated[str, typer.Option(help="Only those under this KEK.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Print at most; 0 is all.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List keys, every row checked against the token. Exit code 70 if a row was altered."""
    run(lambda: _list(session(context), status, kek, limit, as_json=as_json), as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key id, or how it begins.")],
    as_json: AsJson = False,
) -> None:
    """Show one key: its state at the vault, its certificate at the signer."""
    run(lambda: _show(session(context), key, as_json=as_json), as_json=as_json)


@app.command()
def usage(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Key id, or how it begins.")],
    as_json: AsJson = False,
) -> None:
    """Show what a key was used for, in numbers."""
    run(lambda: _usage(session(context), key, as_json=as_json), as_json=as_json)


async def every_key(vault: VaultAdminClient, kek: str = "") -> AsyncIterator[KeySummary]:
    """Yield every key of the vault in the order of their ids."""
    after = b""
    while True:
        page = await vault.list_keys(after, MAX_PAGE, kek)
        for key in page:
            yield key
        if len(page) < MAX_PAGE:
            return
        after = page[-1].key_id


async def _list(
    who: Session, status: KeyStatus | None, kek: str, limit: int, *, as_json: bool
) -> int:
    counted: Counter[str] = Counter()
    shown: list[KeySummary] = []
    async with who.vault() as vault:
        async for key in every_key(vault, kek):
            counted[state_of(key)] += 1
            wanted = status is None or (key.status is status and not key.altered)
            if wanted and (not limit or len(shown) < limit):
                shown.append(key)
    if as_json:
        print_json({"keys": [as_dict(key) for key in shown], "counted": dict(counted)})
    else:
        print_table(_COLUMNS, [_row(key) for key in shown])
        states = ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))
        say(f"{counted.total()} keys: {states or 'none'}; {len(shown)} shown")
    return PARTLY if counted["ALTERED"] else OK


async def _show(who: Session, text: str, *, as_json: bool) -> int:
    async with who.vault() as vault, who.signer() as signer:
        key_id = await find_key(vault, text)
        (key,) = await vault.get_keys([key_id])
        known = {one.key_id: one for one in await signer.find_person("key", key_id.hex())}
    person = known.get(key_id)
    if as_json:
        print_json({"key": as_dict(key), "certificate": person and certificate_dict(person)})
        return PARTLY if key.altered else OK
    lines = [("key", key_id.hex()), ("state", state_of(key)), ("why", key.ended_by or "-")]
    lines += [
        ("wrong PINs", f"{key.failed} since the last success, {key.lifetime_failed} in all"),
        ("held until", moment(key.hold_until_s)),
        ("signatures", str(key.signatures)),
        ("shares", f"generation {key.generation}{', must be renewed' * key.must_refresh}"),
        ("KEK", key.kek_id),
    ]
    if person is not None:
        lines += [
            ("person", person.person_code or "-"),
            ("certificate", f"{person.serial.hex() or '-'} {person.status}".strip()),
            ("enrolled", moment(person.enrolled_at_s)),
            ("valid until", moment(person.not_after_s)),
        ]
    print_table(("", ""), lines)
    return PARTLY if key.altered else OK


async def _usage(who: Session, text: str, *, as_json: bool) -> int:
    async with who.vault() as vault:
        found = await vault.usage(await find_key(vault, text))
    if as_json:
        print_json({"key": as_dict(found.key), "requests": found.requests})
        return OK
    say(f"{found.key.key_id.hex()}: {state_of(found.key)}, {found.key.signatures} signatures")
    print_table(
        ("requests", ""), [(state, str(count)) for state, count in sorted(found.requests.items())]
    )
    return OK


def state_of(key: KeySummary) -> str:
    """Return the one word for a key's state."""
    if key.altered:
        return "ALTERED"
    if key.must_refresh and key.status is KeyStatus.ACTIVE:
        return "must refresh"
    return key.status.value


def as_dict(key: KeySummary) -> dict[str, Any]:
    """Return a key for JSON."""
    return {
        "key_id": key.key_id.hex(),
        "status": "altered" if key.altered else key.status.value,
        "ended_by": key.ended_by,
        "must_refresh": key.must_refresh,
        "failed": key.failed,
        "lifetime_failed": key.lifetime_failed,
        "hold_until_s": key.hold_until_s,
        "signatures": key.signatures,
        "generation": key.generation,
        "kek_id": key.kek_id,
        "certified": key.certified,
    }


def certificate_dict(person: Any) -> dict[str, Any]:
    """Return a certificate for JSON."""
    return {
        "person_code": person.person_code,
        "serial": person.serial.hex(),
        "status": person.status,
        "enrolled_at_s": person.enrolled_at_s,
        "not_after_s": person.not_after_s,
    }


def _row(key: KeySummary) -> tuple[str, ...]:
    if key.altered:
        return (key.key_id.hex(), "ALTERED", "", "", "", "", "")
    return (
        key.key_id.hex(),
        state_of(key),
        key.ended_by or "-",
        f"{key.failed}/{key.lifetime_failed}",
        str(key.signatures),
        str(key.generation),
        key.kek_id,
    )
