"""The PIN pad: one PIN for one request or many, and what came of it."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.errors import PhoneError
from mobile_share.phone import Phone
from mobile_share.ports import KeyReport, SignerClient
from mobile_share.requests import Request as ShownRequest
from mobile_share.signing import fetch_request
from mobile_share.simulator import acts
from mobile_share.simulator.web.pages import (
    Form,
    Visitor,
    go,
    page,
    parse_request_id,
    retry_at,
    text_of,
    words_of,
)
from mobile_share.simulator.web.requests import as_shown, look_back, shown
from mobile_share.simulator.web.sessions import Result
from mobile_share.simulator.web.surroundings import Around
from mobile_share.simulator.web.trouble import PageError, explain
from signer_core.errors import SignerError

_MANY = 64  # requests for one PIN


routes = APIRouter()


@routes.get("/approve")
async def ask(request: Request, session: Visitor, around: Around) -> Response:
    """Show what would be signed; what came from a list is fetched and checked first."""
    chosen = _chosen(request.query_params.getlist("id"))
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        for one in chosen:
            if (request_id := parse_request_id(one)) not in session.shown:
                session.show(await fetch_request(phone, signer, request_id, around.now()))
        report = await signer.get_status()
    requests = [shown(session, one) for one in chosen]
    return page(request, "approve", requests=requests, **pad(report, around.now_s()))


@routes.post("/approve")
async def sign(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Sign exactly what this page showed; nothing signed: the pad again."""
    given = [str(one).partition(":")[::2] for one in form.getlist("shown")]
    chosen = _chosen([shown_id for shown_id, _ in given])
    retry_at(request, "/approve?" + "&".join(f"id={one}" for one in chosen))
    requests = [as_shown(session, *one) for one in dict.fromkeys(given)]
    result = Result()
    session.result = result
    phone = around.phone(session)
    async with around.connect(phone) as signer:
        try:
            await _sign_all(phone, signer, requests, text_of(form, "pin"), result)
        except (PhoneError, SignerError) as error:
            if not result.signed:
                raise  # the pad again
            result.trouble = explain(error, words_of(request), around.now_s())
        await look_back(phone, signer, result)
    return go("/done")


@routes.get("/done")
async def done(request: Request, session: Visitor) -> Response:
    """Show the result, once."""
    result, session.result = session.result, None
    return page(request, "done", result=result) if result and result.signed else go("/")


async def _sign_all(
    phone: Phone,
    signer: SignerClient,
    requests: Sequence[ShownRequest],
    pin: str,
    result: Result,
) -> None:
    """Sign one after another; the first that fails is the last, as its PIN may be wrong."""
    for one in requests:
        result.tried = one
        result.signed.append((one, await acts.sign(phone, signer, one, pin)))


def _chosen(ids: list[str]) -> list[str]:
    """Return the requests of a form, each once; raises PageError where there is none."""
    chosen = [parse_request_id(one).hex() for one in dict.fromkeys(ids)][:_MANY]
    if not chosen:
        raise PageError("error_nothing_chosen")
    return chosen


def pad(report: KeyReport, now_s: int) -> dict[str, int]:
    """Return what the PIN pad says of tries and waits; the vault alone decides."""
    hold_s = max(report.hold_until_s - now_s, 0)
    return {"attempts_left": report.attempts_left, "hold_s": hold_s}
