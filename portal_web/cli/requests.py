"""`signer request`, `status`, `fetch`: ask for a signature, follow it, take the result."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from grpc_api.clients.signing import (
    FileUpload,
    NewRequest,
    RequestView,
    SigningClient,
)
from grpc_api.clients.status import RequestStatus
from portal_web.cli.connection import System
from portal_web.cli.files import check_folder, read_pdf, signed_name, write_all
from portal_web.cli.running import OUTCOMES, run
from portal_web.cli.screen import print_json, progress, say
from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.identifiers import RequestId

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="32 hexadecimal characters.")]

WORDS = {
    RequestStatus.OPEN: "open: waiting for the person's phone",
    RequestStatus.CONSUMED: "signed",
    RequestStatus.DECLINED: "declined by the person",
    RequestStatus.EXPIRED: "expired: nobody signed in time",
    RequestStatus.BURNED: "void: the key or a signing session ended; make a new request",
    RequestStatus.WITHDRAWN: "withdrawn",
    RequestStatus.REPLACED: "replaced: the person has a new phone, and is asked there",
}


def request(  # noqa: PLR0913, PLR0917  Typer: one parameter an option
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="PDFs, 1 to 64.", show_default=False)],
    person: Annotated[str, typer.Option(help="National number of who shall sign.")],
    relying_party: Annotated[str, typer.Option(help="Id of who asks, from the registry.")],
    purpose: Annotated[str, typer.Option(help="What the person is told, 1 to 300 characters.")],
    visible: Annotated[bool, typer.Option(help="Draw a stamp on the last page.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is signed or closed.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the signed files; implies --wait.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a person to sign PDFs with one PIN.

    Exit code: 0 done; 20 no such person or relying party; 21 not allowed; 22 the result cannot be
    trusted; 23 a file or an option is wrong; 30 the system is away; 40 the folder cannot be
    written; with --wait also 50 declined, 51 expired, 52 void, 53 withdrawn,
    54 replaced and no successor found.
    """

    def new_request() -> NewRequest:
        return NewRequest(
            person_code=person,
            relying_party_id=relying_party,
            purpose=purpose,
            idempotency_key=secrets.token_hex(16),
            files=[FileUpload(path.name, read_pdf(path), visible) for path in files],
        )

    async def ask() -> int:
        if out:
            check_folder(out)  # before anybody is asked to sign
        async with System(context.obj).signing() as signing:
            with progress("sending the documents"):
                request_id = await signing.create_request(new_request())
            if not (wait or out):
                _show(request_id, await signing.get(request_id), [], as_json=as_json)
                return 0
            return await _follow(signing, request_id, out, as_json=as_json)

    run(ask(), as_json=as_json)


def status(context: typer.Context, request_id: Id, as_json: AsJson = False) -> None:
    """Tell the state of a request. Exit code: 0, or as of `signer request`."""

    async def ask() -> int:
        known = parse_id(request_id)
        async with System(context.obj).signing() as signing:
            _show(known, await signing.get(known), [], as_json=as_json)
        return 0

    run(ask(), as_json=as_json)


def fetch(
    context: typer.Context,
    request_id: Id,
    out: Annotated[Path, typer.Option(help="Folder for the signed files.")],
    as_json: AsJson = False,
) -> None:
    """Save the signed files of a request, all or none. Exit code: as of `signer request --wait`."""

    async def ask() -> int:
        known = parse_id(request_id)
        check_folder(out)
        async with System(context.obj).signing() as signing:
            view = await signing.get(known)
            while view.successor:
                known = view.successor
                view = await signing.get(known)
            if view.status is RequestStatus.OPEN:
                raise InvalidRequestError("the request is not signed yet: try again later")
            return await _finish(signing, known, view, out, as_json=as_json)

    run(ask(), as_json=as_json)


def parse_id(text: str) -> RequestId:
    """Return a request id.

    Raises:
        InvalidRequestError: it is not 32 hexadecimal characters.
    """
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise InvalidRequestError("an id has 32 hexadecimal characters")
    return RequestId(raw)


async def _follow(
    signing: SigningClient, request_id: RequestId, out: Path | None, *, as_json: bool
) -> int:
    view: RequestView | None = None
    if not as_json:
        say(f"request {request_id.hex()}")
    with progress("waiting for the person's phone"):
        async for view in signing.watch(request_id):
            if view.status is not RequestStatus.OPEN:
                break
    if view is None or view.status is RequestStatus.OPEN:
        raise UnavailableError(f"the signer stopped: later, ask `signer status {request_id.hex()}`")
    if view.successor:
        return await _follow(signing, view.successor, out, as_json=as_json)
    return await _finish(signing, request_id, view, out, as_json=as_json)


async def _finish(
    signing: SigningClient,
    request_id: RequestId,
    view: RequestView,
    out: Path | None,
    *,
    as_json: bool,
) -> int:
    written: list[Path] = []
    if out and view.status is RequestStatus.CONSUMED:
        with progress("fetching the signed files"):
            files = [
                (signed_name(name), await signing.signed_document(request_id, index))
                for index, name in enumerate(view.file_names)
            ]
            written = write_all(out, files)
    _show(request_id, view, written, as_json=as_json)
    return OUTCOMES[view.status]


def _show(request_id: RequestId, view: RequestView, written: list[Path], *, as_json: bool) -> None:
    expires = datetime.fromtimestamp(view.expires_at_s, UTC).isoformat()
    if as_json:
        print_json(
            {
                "request_id": request_id.hex(),
                "status": view.status,
                "expires_at": expires,
                "files": list(view.file_names),
                "decline_reason": view.decline_reason,
                "successor": view.successor.hex() if view.successor else "",
                "written": [str(path) for path in written],
            }
        )
        return
    say(f"request {request_id.hex()} is {WORDS[view.status]}")
    if view.decline_reason:
        say(f"  reason  {view.decline_reason}")
    if view.status is RequestStatus.OPEN:
        say(f"  until   {expires}")
    if view.successor:
        say(f"  now     {view.successor.hex()}")
    for path in written:
        say(f"  file    {path}")
