"""`signer-phone sign`."""

from pathlib import Path
from typing import Annotated

import typer

from mobile_share.claiming import find_way_back
from mobile_share.cli.change import renew
from mobile_share.cli.context import (
    Photo,
    PinStdin,
    connected,
    parse_request_id,
    read_photo,
)
from mobile_share.cli.pin_entry import PinEntry
from mobile_share.cli.running import run
from mobile_share.cli.screen import now_utc, progress, say, show_outcome, show_request
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.requests import Request
from mobile_share.signing import Outcome, fetch_request, prepare
from signer_core.errors import InvalidRequestError, RefreshNeededError
from signer_core.identifiers import RequestId
from signer_core.protocol.request_kind import RequestKind


def sign(
    context: typer.Context,
    requests: Annotated[list[str], typer.Argument(metavar="ID...", help="One or more requests.")],
    photo: Photo = None,
    pin_stdin: PinStdin = False,
) -> None:
    """Check requests, show them, and sign all their documents with your PIN."""
    run(_sign_all(context, requests, photo, PinEntry(pin_stdin)))


async def _sign_all(
    context: typer.Context, shown: list[str], photo_path: Path | None, pin: PinEntry
) -> None:
    """Sign one request after another; the first that fails is the last, as its PIN may be wrong."""
    photo = read_photo(photo_path)
    request_ids = [parse_request_id(one) for one in shown]
    async with connected(context) as (phone, signer):
        for request_id in request_ids:
            await _sign(phone, signer, request_id, photo, pin)


async def _sign(
    phone: Phone, signer: SignerClient, request_id: RequestId, photo: bytes, pin: PinEntry
) -> None:
    now = now_utc()
    with progress("Fetching and checking the documents"):
        request = await fetch_request(phone, signer, request_id, now)
    show_request(request, int(now.timestamp()))
    if request.kind is RequestKind.ANTIBOT:
        raise InvalidRequestError("this is confirmed without PIN: signer-phone confirm ID")
    show_outcome(await approve(phone, signer, request, photo, pin), request_id.hex())
    await show_way_back(phone, signer, request)


async def approve(
    phone: Phone, signer: SignerClient, request: Request, photo: bytes, pin: PinEntry
) -> Outcome:
    """Sign what was shown; new shares first, if the vault wants them."""

    async def attempt() -> Outcome:
        async with prepare(phone, signer, request, photo) as prepared:
            digits = pin.ask()
            with progress("Signing"):
                return await prepared.sign(digits)

    try:
        return await pin.until_right(attempt)
    except RefreshNeededError:
        await renew(phone, signer, photo, pin)
        return await pin.until_right(attempt)


async def show_way_back(phone: Phone, signer: SignerClient, request: Request) -> None:
    """Say where this device's browser goes on, if it began the request."""
    if link := await find_way_back(phone, signer, request):
        say("You began on this device. Go on in the browser that began:")
        say(link)
