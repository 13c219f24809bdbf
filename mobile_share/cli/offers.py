"""`signer-phone open` and `confirm`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from mobile_share import presence
from mobile_share.claiming import claim_link, only_code
from mobile_share.cli.context import Photo, RequestArgument, connected, parse_request_id, read_photo
from mobile_share.cli.requests import save_documents
from mobile_share.cli.running import run
from mobile_share.cli.screen import now_utc, progress, say, show_next, show_request
from mobile_share.cli.sign import show_way_back
from mobile_share.files import read_file
from mobile_share.signing import fetch_request
from signer_core.errors import InvalidRequestError

_SCHEMES: Final = ("https://", "http://")


def open_offer(
    context: typer.Context,
    link: Annotated[
        str, typer.Argument(metavar="LINK|PICTURE", help="A link, or a picture of its QR code.")
    ],
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Save the documents here, to read them.")
    ] = None,
) -> None:
    """Open what a site offers to this phone: show who asks, what for and what would be signed."""
    run(_open(context, link, save))


async def _open(context: typer.Context, link: str, save: Path | None) -> None:
    text = link if link.startswith(_SCHEMES) else _read_picture(Path(link))
    async with connected(context) as (phone, signer):
        now = now_utc()
        with progress("Fetching and checking the request"):
            request_id = await claim_link(phone, signer, text)
            request = await fetch_request(phone, signer, request_id, now)
    show_request(request, int(now.timestamp()))
    if save is not None:
        save_documents(request, save)
    show_next(request)


def _read_picture(path: Path) -> str:
    """Return the text of the QR code in a picture.

    Raises:
        InvalidRequestError: there is no such picture, or not one QR code in it.
    """
    # the libraries of pictures take 0.1 s to load
    from mobile_share.pictures import read_qr_codes  # noqa: PLC0415  see above

    content = read_file(path)
    if content is None:
        raise InvalidRequestError("this is neither a link nor a picture")
    return only_code(read_qr_codes(content))


def confirm(context: typer.Context, request: RequestArgument, photo: Photo = None) -> None:
    """Confirm that you are human, without PIN and signature."""
    run(_confirm(context, request, photo))


async def _confirm(context: typer.Context, shown_id: str, photo_path: Path | None) -> None:
    request_id, photo = parse_request_id(shown_id), read_photo(photo_path)
    async with connected(context) as (phone, signer):
        now = now_utc()
        with progress("Fetching and checking the request"):
            request = await fetch_request(phone, signer, request_id, now)
        show_request(request, int(now.timestamp()))
        await presence.confirm(phone, signer, request, photo)
        say("Confirmed: they learn that you are human, and nothing else.")
        await show_way_back(phone, signer, request)
