"""The scanner: a link, a picture or the camera brings an offer onto this phone."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from mobile_share import claiming
from mobile_share.errors import PhoneError
from mobile_share.pictures import read_qr_codes
from mobile_share.simulator.web.pages import Form, Visitor, go, page, retry_at, text_of, words_of
from mobile_share.simulator.web.sessions import Session
from mobile_share.simulator.web.surroundings import Around, Surroundings
from mobile_share.simulator.web.trouble import PageError, explain
from signer_core.errors import InvalidRequestError, SignerError, VerificationError

routes = APIRouter()

_MAX_LINK_CHARS = 512


@routes.get("/scan")
async def scan(request: Request, session: Visitor, around: Around) -> Response:
    """Offer camera, picture and link."""
    around.phone(session)
    return page(request, "scan", link="")


@routes.get("/open")
async def open_from_browser(request: Request, session: Visitor, around: Around) -> Response:
    """Take a link from this device's browser; only the person's own click opens it."""
    around.phone(session)
    link = request.query_params.get("link", "")[:_MAX_LINK_CHARS]
    return page(request, "scan", link=link)


@routes.post("/scan/link")
async def open_link(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Claim the offer of a link that was pasted."""
    retry_at(request, "/scan")
    return go(await _claim(session, around, text_of(form, "link", _MAX_LINK_CHARS)))


@routes.post("/scan/picture")
async def open_picture(request: Request, form: Form, session: Visitor, around: Around) -> Response:
    """Claim the offer of a QR code in a picture."""
    retry_at(request, "/scan")
    picture = form.get("picture")
    content = await picture.read() if isinstance(picture, UploadFile) else b""
    codes = await _codes(content)
    if len(codes) != 1:
        raise PageError("error_no_qr")
    return go(await _claim(session, around, codes[0]))


@routes.post("/scan/frame")
async def look_at_frame(request: Request, session: Visitor, around: Around) -> Response:
    """Look at one picture of the camera, sent by the page's script; answer with where to go on."""
    if not session.owns(request.headers.get("x-token")):
        raise PageError("error_old_form", 403)
    codes = await _codes(await request.body())
    if len(codes) != 1:
        return JSONResponse({})
    try:
        return JSONResponse({"to": await _claim(session, around, codes[0])})
    except (PhoneError, SignerError, PageError) as error:
        trouble = explain(error, words_of(request), around.now_s())
        return JSONResponse({"refused": f"{trouble.text} {trouble.technical}".strip()})


async def _codes(picture: bytes) -> tuple[str, ...]:
    try:
        return await run_in_threadpool(read_qr_codes, picture)
    except InvalidRequestError:
        raise PageError("error_no_picture") from None


async def _claim(session: Session, around: Surroundings, text: str) -> str:
    """Claim an offer; return the address of the request that came of it."""
    phone = around.phone(session)
    try:
        async with around.connect(phone) as signer:
            request_id = await claiming.claim_link(phone, signer, text)
    except VerificationError:
        raise PageError("error_other_qr") from None
    return f"/requests/{request_id.hex()}"
