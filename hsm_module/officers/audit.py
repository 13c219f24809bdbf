"""`signer-keys audit tail|search|prove|export|verify`."""

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from grpc_api.clients.audit import AuditClient, Wanted
from hsm_module.officers.errors import FileError
from hsm_module.officers.mass import parse_moment
from hsm_module.officers.options import AsJson, session
from hsm_module.officers.running import OK, run
from hsm_module.officers.screen import moment, print_json, print_table, say
from hsm_module.officers.session import SERVERS, Place, Session
from signer_core.errors import InvalidRequestError, VerificationError

app = typer.Typer(no_args_is_help=True, help="The audit log, which cannot lie.")
_VERIFIER: Final = Path(__file__).parents[2] / "tools" / "audit_verify.py"


@app.command()
def tail(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=0, max=1000, help="Rows before the end.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until interrupted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the newest rows; with --json each as a line of JSON, byte for byte."""
    run(lambda: _tail(session(context), last, follow, as_json), as_json=as_json)


@app.command()
def search(  # noqa: PLR0913, PLR0917  the options of the command
    context: typer.Context,
    key: Annotated[str, typer.Option(help="Key id, all 32 digits.")] = "",
    request: Annotated[str, typer.Option(help="Request id, all 32 digits.")] = "",
    event: Annotated[str, typer.Option(help="Name in docs/audit-events.md.")] = "",
    actor: Annotated[str, typer.Option(help="Id of who acted, for example an officer's.")] = "",
    subject: Annotated[str, typer.Option(help="What it was about, for example a ticket.")] = "",
    since: Annotated[str, typer.Option(help="2026-11-20 or 2026-11-20T14:30, UTC.")] = "",
    until: Annotated[str, typer.Option(help="The same form, excluded.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Find rows, newest first."""
    times = parse_moment(since), parse_moment(until)
    run(
        lambda: _search(
            session(context),
            Wanted(_id(key), _id(request), event, actor, subject, *times, limit),
            as_json,
        ),
        as_json=as_json,
    )


@app.command()
def prove(
    context: typer.Context,
    row: Annotated[int, typer.Argument(min=0, help="Number of the row: seq.")],
    as_json: AsJson = False,
) -> None:
    """Print the proof that a row is in the log (RFC 9162 §2.1.3), as JSON."""
    run(lambda: _prove(session(context), row), as_json=as_json)


@app.command()
def export(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(help="Folder to make.")],
    as_json: AsJson = False,
) -> None:
    """Write everything that tools/audit_verify.py reads."""
    run(lambda: _export(session(context), to, as_json), as_json=as_json)


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="An export; default: the log as it is now.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The log's public key; default: the deployment's.")
    ] = None,
    at_least: Annotated[int, typer.Option(min=0, help="Rows that there must be.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Check hashes, tree and signed checkpoints. Exit code 22 names each row that is wrong."""
    place: Place = context.obj
    pinned = key or place.home / "public" / "audit-log.pem"
    run(
        lambda: _verify(None if folder else session(context), folder, pinned, at_least, as_json),
        as_json=as_json,
    )


@asynccontextmanager
async def _log(who: Session) -> AsyncIterator[AuditClient]:
    async with who.channel("internal", SERVERS["internal"]) as channel:
        yield AuditClient(channel)


async def _tail(who: Session, last: int, follow: bool, as_json: bool) -> int:
    async with _log(who) as log:
        async for row in log.tail(last, follow=follow):
            if as_json:
                sys.stdout.buffer.write(row + b"\n")
                sys.stdout.flush()
            else:
                say("  ".join(_cells(json.loads(row))))
    return OK


async def _search(who: Session, wanted: Wanted, as_json: bool) -> int:
    async with _log(who) as log:
        rows = [json.loads(row) for row in await log.search(wanted)]
    if as_json:
        print_json({"rows": rows})
        return OK
    columns = ("row", "when", "event", "result", "reason", "who", "about")
    print_table(columns, [_cells(row) for row in rows])
    return OK


async def _prove(who: Session, row: int) -> int:
    async with _log(who) as log:
        proof = await log.prove(row)
    print_json(
        {
            "row": proof.row.decode(),
            "checkpoint": proof.checkpoint,
            "proof": [base64.b64encode(one).decode() for one in proof.path],
        }
    )
    return OK


async def _export(who: Session, to: Path, as_json: bool) -> int:
    rows = await write_export(who, to)
    if as_json:
        print_json({"folder": str(to), "rows": rows})
    else:
        say(f"{rows} rows in {to}; check them by: python tools/audit_verify.py {to} --key PEM")
    return OK


async def write_export(who: Session, to: Path) -> int:
    """Write an export into a new folder; return the number of rows.

    Raises:
        FileError: it cannot be written.
    """
    count = 0
    try:
        to.mkdir(mode=0o700, parents=True)
        events, notes = to / "events.jsonl", to / "checkpoints.jsonl"
        async with _log(who) as log:
            with events.open("wb") as rows, notes.open("wb") as checkpoints:
                async for more, signed in log.export():
                    count += more.count(b"\n")
                    rows.write(more)
                    checkpoints.write(signed)
    except OSError as error:
        raise FileError(f"{to} cannot be written: {error.strerror}") from None
    return count


async def _verify(
    who: Session | None, folder: Path | None, key: Path, at_least: int, as_json: bool
) -> int:
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        chosen = folder or Path(scratch) / "export"
        if who is not None:
            await write_export(who, chosen)
        said = check_export(chosen, key, at_least)
    if as_json:
        print_json({"whole": True, "says": said})
    else:
        say(said)
    return OK


def check_export(folder: Path, key: Path, at_least: int) -> str:
    """Run the verifier that depends on nothing of ours; return what it says of a whole log.

    Raises:
        VerificationError: the log is not whole; every finding is named.
        FileError: the verifier, the key or the export cannot be read.
    """
    words = [str(_VERIFIER), str(folder), "--key", str(key), "--at-least", str(at_least)]
    done = subprocess.run(  # noqa: S603  our own interpreter and file
        [sys.executable, *words], capture_output=True, text=True, check=False
    )
    if done.returncode == 1:
        raise VerificationError(f"the log is not whole:\n{done.stdout.strip()}")
    if done.returncode:
        raise FileError((done.stderr.strip() or done.stdout.strip()).splitlines()[-1])
    return done.stdout.strip()


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    about = row.get("key_id") or row.get("request_id") or row.get("subject") or "-"
    who = f"{row.get('actor_kind', '')} {row.get('actor_id', '')}"
    return (
        str(row.get("seq", "")),
        moment(int(row.get("at_s", 0))),
        str(row.get("event", "")),
        str(row.get("result", "")),
        str(row.get("reason") or "-"),
        who.strip() or "-",
        str(about),
    )


def _id(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b"?"
    if octets and len(octets) != 16:
        raise InvalidRequestError("an id has 32 hexadecimal digits")
    return octets
