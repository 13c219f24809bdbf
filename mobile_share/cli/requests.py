"""`signer-phone requests`, `show`, `decline` and `watch`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from mobile_share.cli.context import (
    RequestArgument,
    connected,
    parse_request_id,
)
from mobile_share.cli.running import run
from mobile_share.cli.screen import (
    now_utc,
    progress,
    say,
    say_end,
    show_history,
    show_list,
    show_request,
)
from mobile_share.cli.times import countdown
from mobile_share.errors import StorageError
from mobile_share.files import make_private_folder, write_durably
from mobile_share.ports import RequestStatus, UntrustedRequest
from mobile_share.renewal import find_end
from mobile_share.requests import Request
from mobile_share.signing import fetch_request
from mobile_share.summary import Summary, summarise
from signer_core.protocol.request_kind import RequestKind


def requests(context: typer.Context) -> None:
    """List what you are asked to sign."""
    run(_list(context))


async def _list(context: typer.Context) -> None:
    async with connected(context) as (phone, signer):
        now = now_utc()
        registry = phone.deployment.verify_registry(now)
        with progress("Asking for open requests"):
            untrusted = await signer.list_requests()
        say_end(find_end(phone, now))
    if not untrusted:
        say("Nothing to sign.")
        return
    show_list([_row(one, registry, int(now.timestamp())) for one in untrusted])


def _row(
    untrusted: UntrustedRequest, registry: x509.Certificate, now_s: int
) -> tuple[str, str, str, str, str]:
    one = summarise(untrusted, registry)
    left = countdown(one.expires_at_s - now_s)
    return one.request_id.hex(), *_who_and_why(one), str(one.documents), left


def show(
    context: typer.Context,
    request: RequestArgument,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save the documents here, to read them.")
    ] = None,
) -> None:
    """Show who asks, what for and what would be signed; check all of it."""
    run(_show(context, request, save))


async def _show(context: typer.Context, shown_id: str, save: Path | None) -> None:
    request_id = parse_request_id(shown_id)
    async with connected(context) as (phone, signer):
        now = now_utc()
        with progress("Fetching and checking the documents"):
            request = await fetch_request(phone, signer, request_id, now)
    show_request(request, int(now.timestamp()))
    if save is not None:
        save_documents(request, save)


def save_documents(request: Request, folder: Path) -> None:
    """Write the documents that were sent, none over a file that is there.

    Raises:
        StorageError: a file of that name is there, or it cannot be written.
    """
    make_private_folder(folder)
    sent = [(n, file) for n, file in enumerate(request.files, 1) if file.content]
    paths = [folder / f"{n:02}-{file.name}" for n, file in sent]
    if any(path.exists() for path in paths):
        raise StorageError("a document of that name is in the folder already: nothing was saved")
    for path, (_, file) in zip(paths, sent, strict=True):
        write_durably(path, file.content)
    say(f"Saved {len(paths)} documents as they would be signed.")


def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many of them.")] = 50,
) -> None:
    """List what you signed or declined, and for whom, as the signer reports it."""
    run(_history(context, limit))


async def _history(context: typer.Context, limit: int) -> None:
    async with connected(context) as (phone, signer):
        registry = phone.deployment.verify_registry(now_utc())
        rows = [summarise(one, registry) for one in await signer.list_history(limit)]
    if not rows:
        say("Nothing yet.")
        return
    show_history([(_moment(one.ended_at_s), _ending(one), *_who_and_why(one)) for one in rows])


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC).astimezone():%Y-%m-%d %H:%M}"


def _ending(one: Summary) -> str:
    if one.status is not RequestStatus.CONSUMED:
        return str(one.status)
    return "confirmed" if one.kind == RequestKind.ANTIBOT else "signed"


def _who_and_why(one: Summary) -> tuple[str, str]:
    return ("REFUSED", one.refusal) if one.refusal else (one.name_uk, one.purpose)


def decline(
    context: typer.Context,
    request: RequestArgument,
    reason: Annotated[str, typer.Option(help="At most 200 characters, for who asked.")] = "",
) -> None:
    """Refuse a request for good."""
    run(_decline(context, request, reason))


async def _decline(context: typer.Context, shown_id: str, reason: str) -> None:
    request_id = parse_request_id(shown_id)
    async with connected(context) as (_, signer):
        await signer.decline_request(request_id, reason)
    say(f"Declined: {shown_id}")


def watch(context: typer.Context) -> None:
    """Print each request as it comes, until interrupted."""
    run(_watch(context))


async def _watch(context: typer.Context) -> None:
    async with connected(context) as (phone, signer):
        registry = phone.deployment.verify_registry(now_utc())
        say("Waiting for requests; Ctrl-C ends it.")
        async for request_id in signer.watch_requests():
            untrusted = await signer.get_request(request_id)
            show_list([_row(untrusted, registry, int(now_utc().timestamp()))])
