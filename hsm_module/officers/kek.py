"""`signer-keys kek rotate|status|destroy`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from grpc_api.clients.vault_admin import VaultAdminClient
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
from hsm_module.officers.running import OK, PARTLY, patiently, run
from hsm_module.officers.screen import print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds
from signer_core.admin.vault import MAX_BATCH, KekStatus

app = typer.Typer(no_args_is_help=True, help="The KEKs that encrypt the vault's records.")
_PASSES: Final = 5  # a key that is used while its records move is left to the next pass

Tell = Callable[[int, int], None]  # records moved, records in all


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    kek_id: str
    moved: int  # records
    altered: int  # keys that were left as they are
    left: int  # records under other KEKs


@app.command()
def rotate(
    context: typer.Context,
    reason: Why,
    ticket: Ticket = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on with one under way; make no KEK.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make the next KEK and move every record to it, while keys sign.

    Killed at any moment: repeat it with --resume.
    """
    run(
        lambda: _rotate(session(context), grounds(reason, ticket), resume, yes, as_json),
        as_json=as_json,
    )


@app.command()
def destroy(
    context: typer.Context,
    kek: Annotated[str, typer.Argument(help="Id of the KEK: kek-1, kek-2, ..")],
    reason: Why,
    ticket: Ticket = "",
    typed: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Destroy an older KEK that no record is under, for good.

    Backups of the database from before its rotation open only with a backup of the token as old.
    Killed at any moment: repeat it.
    """
    run(
        lambda: _destroy(session(context), kek, grounds(reason, ticket), typed, as_json),
        as_json=as_json,
    )


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the KEKs and how many records are under each."""
    run(lambda: _status(session(context), as_json=as_json), as_json=as_json)


async def rotate_all(
    vault: VaultAdminClient, why: Grounds, tell: Tell, *, resume: bool = False
) -> Rotated:
    """Rotate to the end, whatever dies meanwhile; with `resume` no KEK is made.

    Raises:
        UnavailableError: the vault stays away for a minute.
        DeniedError: the caller may not.
    """
    before = await patiently(vault.kek_status)
    kek_id = before.newest
    if not resume:
        kek_id = await patiently(lambda: vault.start_rotation(why))
    total, moved, altered = sum(before.records.values()), 0, 0
    after = await patiently(vault.kek_status)
    for _ in range(_PASSES):
        if not _left(after):
            break
        done, altered = await _one_pass(vault, tell, (moved, total))
        moved += done
        after = await patiently(vault.kek_status)
    return Rotated(kek_id, moved, altered, _left(after))


async def _one_pass(vault: VaultAdminClient, tell: Tell, known: tuple[int, int]) -> tuple[int, int]:
    moved, total = known
    done, altered, after = 0, 0, b""
    while True:
        step = await patiently(lambda after=after: vault.rewrap(after, MAX_BATCH))  # type: ignore[misc]  # mypy cannot infer a default argument
        done, altered, after = done + step.records, altered + step.altered, step.after
        tell(moved + done, total)
        if not after:
            return done, altered


def _left(status: KekStatus) -> int:
    return sum(count for kek_id, count in status.records.items() if kek_id != status.newest)


async def _rotate(who: Session, why: Grounds, resume: bool, yes: bool, as_json: bool) -> int:
    async with who.vault() as vault:
        known = await vault.kek_status()
        total, left = sum(known.records.values()), _left(known)
        if resume and not left:
            say_or_print(Rotated(known.newest, 0, 0, 0), as_json=as_json)
            return OK
        question = (
            f"Go on: {left} of {total} records are still to move to {known.newest}?"
            if left
            else f"Make the KEK after {known.newest} and move {total} records to it?"
        )
        confirm(question, yes=yes or resume, as_json=as_json)
        with _progress(as_json=as_json) as progress:
            task = progress.add_task("records", total=total, completed=total - left)

            def tell(moved: int, _total: int) -> None:
                progress.update(task, completed=min(total, total - left + moved))

            done = await rotate_all(vault, why, tell, resume=resume)
    say_or_print(done, as_json=as_json)
    return PARTLY if done.left else OK


def say_or_print(done: Rotated, *, as_json: bool) -> None:
    """Say how the rotation ended."""
    if as_json:
        print_json(
            {
                "kek_id": done.kek_id,
                "records_moved": done.moved,
                "keys_altered": done.altered,
                "records_left": done.left,
            }
        )
        return
    say(f"{done.moved} records moved; every new one is under {done.kek_id}")
    if done.left:
        say(f"{done.left} records are left under other KEKs: repeat with --resume")
        if done.altered:
            say(f"{done.altered} keys were altered behind the vault's back: see the audit log")
        return
    say("Copy the token's folder and its manifest to your backup now: both have a new key.")


async def _destroy(who: Session, kek: str, why: Grounds, typed: str | None, as_json: bool) -> int:
    warning = f"{kek} will be destroyed: what is under it in older backups is lost with it."
    confirm_by_typing(warning, kek, typed, as_json=as_json)
    async with who.vault() as vault:
        await vault.destroy_kek(kek, why)
    if as_json:
        print_json({"kek_id": kek, "destroyed": True})
        return OK
    say(f"{kek} is destroyed")
    say("Copy the token's folder and its manifest to your backup now; older copies of both still")
    say("have the key: destroy those, too, once no backup of the database needs them.")
    return OK


async def _status(who: Session, *, as_json: bool) -> int:
    async with who.vault() as vault:
        known = await vault.kek_status()
    if as_json:
        print_json({"newest": known.newest, "records": known.records})
        return OK
    rows = [
        (kek_id, str(count), _fate(kek_id, known))
        for kek_id, count in sorted(known.records.items())
    ]
    print_table(("KEK", "records", ""), rows)
    left = _left(known)
    say(f"{left} records are still to move: kek rotate --resume" if left else "Nothing to move.")
    return OK


def _fate(kek_id: str, known: KekStatus) -> str:
    if kek_id == known.newest:
        return "new records"
    return "none may be left" if known.records[kek_id] else "may be destroyed"


def _progress(*, as_json: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), disable=as_json)
