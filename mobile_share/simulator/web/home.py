"""The home page: documents, open requests; and what was signed for whom."""

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.owner import common_name
from mobile_share.renewal import find_end
from mobile_share.simulator.web.pages import Visitor, go, page
from mobile_share.simulator.web.surroundings import Around
from mobile_share.summary import summarise

routes = APIRouter()


@routes.get("/")
async def home(request: Request, session: Visitor, around: Around) -> Response:
    """Show documents and open requests."""
    if session.phone_id is None:
        return go("/phones")
    phone = around.phone(session)
    if not phone.is_enrolled:
        return go("/enrol/resume" if phone.has_share else "/phones")
    now = around.now()
    registry = phone.deployment.verify_registry(now)
    async with around.connect(phone) as signer:
        untrusted = await signer.list_requests()
    return page(
        request,
        "home",
        owner=common_name(phone.certificate()),
        requests=[summarise(one, registry) for one in untrusted],
        now_s=around.now_s(),
        end=_day(find_end(phone, now)),
    )


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
