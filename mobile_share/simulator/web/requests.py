"""One request: shown after the phone has checked all of it, its documents to be read, declined."""

from contextlib import suppress
from hmac import compare_digest
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share import presence
from mobile_share.claiming import find_way_back
from mobile_share.phone import Phone
from mobile_share.photo import SANDBOX_PHOTO
from mobile_share.ports import SignerClient
from mobile_share.requests import Request as ShownRequest
from mobile_share.signing import fetch_request
from mobile_share.simulator.web.documents import document_response
from mobile_share.simulator.web.pages import (
    Form,
    Visitor,
    go,
    page,
    parse_request_id,
    retry_at,
    say,
    text_of,
)
from mobile_share.simulator.web.sessions import Result, Session
from mobile_share.simulator.web.surroundings import Around
from mobile_share.simulator.web.trouble import PageError
from signer_core.errors import SignerError

MAX_REASON_CHARS: Final = 200


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
    if not file.content:
        raise PageError("request_only_hash", 404)
    return document_response(file)


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


@routes.post("/confirm")
async def confirm(
    request: Request, shown_id: str, form: Form, session: Visitor, around: Around
) -> Response:
    """Confirm without PIN that a person is here, for exactly what this page showed."""
    retry_at(request, f"/requests/{parse_request_id(shown_id).hex()}")
    checked, phone = as_shown(session, shown_id, text_of(form, "shown")), around.phone(session)
    result = Result(signed=[(checked, None)], is_presence=True)
    async with around.connect(phone) as signer:
        await presence.confirm(phone, signer, checked, SANDBOX_PHOTO)
        await look_back(phone, signer, result)
    session.shown.pop(checked.request_id, None)
    session.result = result
    return go("/done")


async def look_back(phone: Phone, signer: SignerClient, result: Result) -> None:
    """Find the way back to this browser, if it began what was just approved."""
    for request, _ in result.signed:
        with suppress(SignerError):  # approved all the same: the browser that began moves on
            result.return_url = await find_way_back(phone, signer, request) or result.return_url


def as_shown(session: Session, shown_id: str, shown_hash: str) -> ShownRequest:
    """Return what this very page showed; the vault signs nothing with another hash.

    Raises:
        PageError: it was shown anew since, with other content.
    """
    request = shown(session, shown_id)
    if not compare_digest(request.request_hash.hex().encode(), shown_hash.encode()):
        raise PageError("request_stale", 409)
    return request


def shown(session: Session, shown_id: str) -> ShownRequest:
    """Return a request as this browser was shown it.

    Raises:
        PageError: it was not.
    """
    found = session.shown.get(parse_request_id(shown_id))
    if found is None:
        raise PageError("request_stale", 409)
    return found
