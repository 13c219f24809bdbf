"""One request: shown after the phone has checked all of it, its documents to be read, declined."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.requests import Request as ShownRequest
from mobile_share.signing import fetch_request
from mobile_share.simulator.web.pages import (
    Form,
    Visitor,
    attachment,
    go,
    page,
    parse_request_id,
    retry_at,
    say,
    text_of,
)
from mobile_share.simulator.web.sessions import Session
from mobile_share.simulator.web.surroundings import Around
from mobile_share.simulator.web.trouble import PageError

MAX_REASON_CHARS: Final = 200
_PDF: Final = "application/pdf"


routes = APIRouter(prefix="/requests/{shown_id}")


@routes.get("")
async def show(request: Request, shown_id: str, session: Visitor, around: Around) -> Response:
    """Fetch and check a request, and show it."""
    phone, request_id = around.phone(session), parse_request_id(shown_id)
    async with around.connect(phone) as signer:
        checked = await fetch_request(phone, signer, request_id, around.now())
    session.show(checked)
    return page(request, "request", request=checked, now_s=around.now_s())


@routes.get("/documents/{index}")
async def document(shown_id: str, index: int, session: Visitor) -> Response:
    """Hand out a document whose hash was checked; nothing of it runs in our name."""
    files = shown(session, shown_id).files
    if not 0 <= index < len(files):
        raise PageError("error_not_here", 404)
    file = files[index]
    is_pdf = file.content.startswith(b"%PDF-")
    media_type = _PDF if is_pdf else "application/octet-stream"
    headers = {"Content-Disposition": attachment(file.name, inline=is_pdf)}
    return Response(file.content, media_type=media_type, headers=headers)


@routes.get("/decline")
async def ask_reason(request: Request, shown_id: str, session: Visitor) -> Response:
    """Ask why it is declined."""
    return page(request, "decline", request=shown(session, shown_id))


@routes.post("/decline")
async def decline(
    request: Request, shown_id: str, form: Form, session: Visitor, around: Around
) -> Response:
    """Decline for good."""
    retry_at(request, f"/requests/{parse_request_id(shown_id).hex()}/decline")
    reason = text_of(form, "reason")
    if len(reason) > MAX_REASON_CHARS:
        raise PageError("error_reason")
    async with around.connect(around.phone(session)) as signer:
        await signer.decline_request(parse_request_id(shown_id), reason)
    session.shown.pop(parse_request_id(shown_id), None)
    say(request, "request_declined")
    return go("/")


def shown(session: Session, shown_id: str) -> ShownRequest:
    """Return a request as this browser was shown it.

    Raises:
        PageError: it was not.
    """
    found = session.shown.get(parse_request_id(shown_id))
    if found is None:
        raise PageError("request_stale", 409)
    return found
