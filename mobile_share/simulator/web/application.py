"""The browser phone's web application: every page, and what stands before all of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from mobile_share.errors import PhoneError
from mobile_share.simulator.web import (
    approve,
    enrol,
    events,
    history,
    home,
    key,
    phones,
    requests,
    scan,
)
from mobile_share.simulator.web.guard import HEADERS, Guard
from mobile_share.simulator.web.pages import go, page, say_trouble, words_of
from mobile_share.simulator.web.sessions import Sessions
from mobile_share.simulator.web.surroundings import Surroundings
from mobile_share.simulator.web.texts import TEXTS
from mobile_share.simulator.web.trouble import PageError, explain
from signer_core import errors
from signer_core.errors import SignerError

_STATIC = Path(__file__).with_name("static")
PARTS: Final = (phones, enrol, home, scan, requests, approve, history, key, events)

_STATUS: Final[Mapping[type, int]] = {
    errors.NotFoundError: 404,
    errors.DeniedError: 403,
    errors.UnavailableError: 503,
    errors.InvalidRequestError: 422,
    errors.VerificationError: 422,
    SignerError: 409,
}
_log = structlog.get_logger(__name__)


def make_application(around: Surroundings, port: int) -> FastAPI:
    """Put the pages together, for `http://localhost:port`."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(Sessions)
    app.add_middleware(Guard, port=port)  # the last one added stands first
    app.mount("/static", StaticFiles(directory=_STATIC))
    app.state.around = around
    for part in PARTS:
        app.include_router(part.routes)
    _explain_errors(app, around)

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse({"status": "serving"})

    return app


def _explain_errors(app: FastAPI, around: Surroundings) -> None:
    """Turn every refusal into a page; where a form may be filled in again, into that one."""

    async def explained(request: Request, error: Exception) -> Response:
        trouble = explain(error, words_of(request), around.now_s())
        if isinstance(error, PageError) and error.key == "error_choose_phone":
            return go("/phones")
        if to := getattr(request.state, "retry_at", ""):
            say_trouble(request, trouble)
            return go(to)
        return page(request, "trouble", _status(error), trouble=trouble)

    async def unknown(_request: Request, error: Exception) -> Response:
        _log.error("unexpected", kind=type(error).__name__)
        says = " ".join(text["error_internal"] for text in TEXTS.values())
        return PlainTextResponse(says, 500, HEADERS)  # made outside of `Guard`

    async def not_here(request: Request, _error: Exception) -> Response:
        return await explained(request, PageError("error_not_here", 404))

    for refusal in (PhoneError, SignerError, PageError):
        app.add_exception_handler(refusal, explained)
    for stray in (HTTPException, RequestValidationError):
        app.add_exception_handler(stray, not_here)
    app.add_exception_handler(Exception, unknown)


def _status(error: Exception) -> int:
    if isinstance(error, PageError):
        return error.status
    kinds = (kind for kind in type(error).__mro__ if kind in _STATUS)
    return _STATUS[next(kinds, SignerError)]
