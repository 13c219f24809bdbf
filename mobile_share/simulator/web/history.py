"""What was signed or declined, and for whom, as the signer reports it."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.simulator.web.pages import Visitor, page
from mobile_share.simulator.web.surroundings import Around
from mobile_share.simulator.web.trouble import PageError
from mobile_share.summary import Summary, summarise

routes = APIRouter()

_A_PAGE: Final = 20
_DIGITS: Final = 11  # of a Unix time


@routes.get("/history")
async def history(request: Request, session: Visitor, around: Around) -> Response:
    """Show a page of it, newest first."""
    phone = around.phone(session)
    registry = phone.deployment.verify_registry(around.now())
    before_s = _before(request.query_params.get("before", "0"))
    async with around.connect(phone) as signer:
        untrusted = await signer.list_history(_A_PAGE, before_s)
    rows = [summarise(one, registry) for one in untrusted]
    older = rows[-1].ended_at_s if len(rows) == _A_PAGE else 0
    return page(request, "history", rows=[(one, _day(one)) for one in rows], older=older)


def _before(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise PageError("error_not_here", 404)
    return int(text)


def _day(one: Summary) -> str:
    return f"{datetime.fromtimestamp(one.ended_at_s, UTC).astimezone():%Y-%m-%d %H:%M}"
