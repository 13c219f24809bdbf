"""`signer-keys mass revoke|refresh|list`: the day after a compromise."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from grpc_api.clients.admin import AdminClient, Job, Selection
from grpc_api.clients.vault_admin import VaultAdminClient
from hsm_module.officers.keys import every_key
from hsm_module.officers.options import AsJson, Ticket, Yes, confirm, grounds, session
from hsm_module.officers.running import OK, PARTLY, patiently, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import Session
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.vault import MAX_BATCH, MAX_PAGE, Ending
from signer_core.errors import InvalidRequestError, NotFoundError

app = typer.Typer(no_args_is_help=True, help="Many keys at once, after a compromise.")
REFUSED: Final = ("missing", "altered")

From = Annotated[str, typer.Option(help="Issued at or after: 2026-11-20 or 2026-11-20T14:30 UTC.")]
To = Annotated[str, typer.Option(help="Issued before: the same form.")]
Vault = Annotated[str, typer.Option(help="Every key of this vault, for example vault-1.")]
Reasons = Annotated[Reason | None, typer.Option("--reason", help="Why: a word of the audit log.")]
Resume = Annotated[str, typer.Option(help="Go on with this job (`mass list` names it).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]
Tell = Callable[[Job], None]


@dataclass(frozen=True, slots=True)
class _Order:
    """A mass job as it was typed."""

    kind: str
    selection: Selection
    reason: Reason | None
    ticket: str
    resume: str
    dry_run: bool
    yes: bool
    as_json: bool


@app.command()
def revoke(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    issued_from: From = "",
    issued_to: To = "",
    vault: Vault = "",
    reason: Reasons = None,
    ticket: Ticket = "",
    resume: Resume = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Revoke keys and certificates by date of issue or by vault. Killed: --resume JOB."""
    chosen = Selection(parse_moment(issued_from), parse_moment(issued_to), vault)
    order = _Order("revoke", chosen, reason, ticket, resume, dry_run, yes, as_json)
    run(lambda: _mass(session(context), order), as_json=as_json)


@app.command()
def refresh(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    issued_from: From = "",
    issued_to: To = "",
    vault: Vault = "",
    reason: Reasons = None,
    ticket: Ticket = "",
    resume: Resume = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let keys sign nothing before their phones have made new shares. Killed: --resume JOB."""
    chosen = Selection(parse_moment(issued_from), parse_moment(issued_to), vault)
    order = _Order("refresh", chosen, reason, ticket, resume, dry_run, yes, as_json)
    run(lambda: _mass(session(context), order), as_json=as_json)


@app.command("list")
def list_jobs(context: typer.Context, as_json: AsJson = False) -> None:
    """List the newest jobs, and how far each is."""
    run(lambda: _list(session(context), as_json=as_json), as_json=as_json)


def parse_moment(text: str) -> int:
    """Return the Unix time of a date or a time, in UTC; 0 for none.

    Raises:
        typer.BadParameter: it is neither.
    """
    if not text:
        return 0
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date: write 2026-11-20") from None


async def run_job(vault: VaultAdminClient, signer: AdminClient, job_id: bytes, tell: Tell) -> Job:
    """Do what is left of a job, whatever dies meanwhile: each step is harmless to repeat.

    1. Of a whole vault: keys that only the vault knows are written down, too.
    2. Keys that are still to be done, 64 at a time: the vault ends or marks them,
    3. the signer closes their requests and tells the phones,
    4. and only then they are noted as done.

    Raises:
        UnavailableError: a process stays away for a minute.
    """
    job = await patiently(lambda: signer.job(job_id))
    why = Grounds(Reason(job.reason), job.ticket)
    if job.selection.vault_id and job.pending == job.total:
        await _add_all(vault, signer, job_id)  # 1
    while True:
        ids = await patiently(lambda: signer.next_of_job(job_id, MAX_BATCH))  # 2
        if not ids:
            return await patiently(lambda: signer.job(job_id))
        if job.kind == "revoke":
            outcomes = await patiently(lambda ids=ids: vault.end_keys(ids, Ending.REVOKE, why))  # type: ignore[misc]  # mypy cannot infer a default argument
            await patiently(lambda ids=ids: signer.follow_keys(ids))  # type: ignore[misc]  # as above  # 3
        else:
            outcomes = await patiently(lambda ids=ids: vault.mark_for_refresh(ids, why))  # type: ignore[misc]  # as above
        await patiently(lambda ids=ids, done=outcomes: signer.note_done(job_id, ids, done))  # type: ignore[misc]  # as above  # 4
        tell(await patiently(lambda: signer.job(job_id)))


async def _add_all(vault: VaultAdminClient, signer: AdminClient, job_id: bytes) -> None:
    page = []
    async for key in every_key(vault):
        page.append(key.key_id)
        if len(page) == MAX_PAGE:
            await signer.add_to_job(job_id, page)
            page = []
    if page:
        await signer.add_to_job(job_id, page)


async def _mass(who: Session, order: _Order) -> int:
    async with who.vault() as vault, who.signer() as signer:
        if order.dry_run:
            return await _preview(vault, signer, order)
        job = await (_resume(signer, order) if order.resume else _create(signer, order))
        if not order.as_json:
            say(f"job {job.job_id.hex()}: if this is interrupted, go on by")
            say(f"  signer-keys mass {job.kind} --resume {job.job_id.hex()}")
        with _progress(as_json=order.as_json) as progress:
            task = progress.add_task("keys", total=job.total, completed=job.total - job.pending)

            def tell(now: Job) -> None:
                progress.update(task, total=now.total, completed=now.total - now.pending)

            done = await run_job(vault, signer, job.job_id, tell)
    return _report(done, as_json=order.as_json)


async def _preview(vault: VaultAdminClient, signer: AdminClient, order: _Order) -> int:
    keys, people = await signer.preview_job(order.selection)
    everything = 0
    if order.selection.vault_id:
        everything = len([key async for key in every_key(vault)])
    if order.as_json:
        print_json({"keys": max(keys, everything), "people": people, "at_the_vault": everything})
        return OK
    say(f"{max(keys, everything)} keys of {people} people; nothing was changed")
    return OK


async def _create(signer: AdminClient, order: _Order) -> Job:
    if order.reason is None:
        raise InvalidRequestError(f"say why: --reason, one of {', '.join(Reason)}")
    keys, people = await signer.preview_job(order.selection)
    if not keys and not order.selection.vault_id:
        raise NotFoundError("no key was issued then")
    what = "be revoked for ever" if order.kind == "revoke" else "need new shares before they sign"
    question = f"{keys} keys of {people} people will {what}. Sure?"
    confirm(question, yes=order.yes, as_json=order.as_json)
    job_id = secrets.token_bytes(16)
    why = grounds(order.reason, order.ticket)
    return await patiently(lambda: signer.create_job(job_id, order.kind, order.selection, why))


async def _resume(signer: AdminClient, order: _Order) -> Job:
    try:
        job_id = bytes.fromhex(order.resume)
    except ValueError:
        raise InvalidRequestError("a job id is 32 hexadecimal digits: see mass list") from None
    job = await patiently(lambda: signer.job(job_id))
    if job.kind != order.kind:
        raise InvalidRequestError(f"this is a job to {job.kind}: use mass {job.kind}")
    return job


async def _list(who: Session, *, as_json: bool) -> int:
    async with who.signer() as signer:
        jobs = await signer.jobs()
    if as_json:
        print_json({"jobs": [_dict(job) for job in jobs]})
        return OK
    print_table(
        ("job", "kind", "made", "by", "reason", "ticket", "keys", "to do"),
        [
            (
                job.job_id.hex(),
                job.kind,
                moment(job.created_at_s),
                job.officer_id,
                job.reason,
                job.ticket or "-",
                str(job.total),
                str(job.pending),
            )
            for job in jobs
        ],
    )
    return OK


def _report(job: Job, *, as_json: bool) -> int:
    refused = sum(job.keys.get(word, 0) for word in REFUSED)
    if as_json:
        print_json(_dict(job))
    else:
        counts = ", ".join(f"{count} {word}" for word, count in sorted(job.keys.items()))
        say(f"{job.total} keys: {counts or 'none'}")
        if refused:
            say("altered or missing keys sign nothing either; the audit log names them")
    return PARTLY if refused else OK


def _dict(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id.hex(),
        "kind": job.kind,
        "issued_from_s": job.selection.issued_from_s,
        "issued_to_s": job.selection.issued_to_s,
        "vault_id": job.selection.vault_id,
        "reason": job.reason,
        "ticket": job.ticket,
        "officer_id": job.officer_id,
        "created_at_s": job.created_at_s,
        "keys": dict(job.keys),
    }


def _progress(*, as_json: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), disable=as_json)
