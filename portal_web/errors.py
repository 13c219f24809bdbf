"""Errors: problem details (RFC 9457) for programs, pages for people. The one place for both."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from portal_web.design.pages import Pages
from signer_core import errors
from signer_core.errors import SignerError

STATUS: Final[Mapping[type[SignerError], int]] = {
    errors.InvalidRequestError: 422,
    errors.DeniedError: 403,
    errors.NotFoundError: 404,
    errors.ProtocolAbortError: 409,
    errors.RetireShareError: 409,
    errors.VerificationError: 422,
    errors.UnavailableError: 503,
}
# Whatever else a page answers with is told with the words of its hundred.
PAGES: Final = frozenset({403, 404, 409, 422, 500, 503})

_log = structlog.get_logger(__name__)


def render_errors(app: FastAPI, pages: Pages) -> None:
    """Answer wherever a route raises: with a page if a browser asks for one, else for a program."""

    @app.exception_handler(SignerError)
    async def known(request: Request, error: SignerError) -> Response:
        return answer(request, pages, status_of(error), error.code, str(error))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        code = "not_found" if error.status_code == 404 else "invalid_request"
        said = answer(request, pages, error.status_code, code, _phrase(error.status_code))
        said.headers.update(error.headers or {})
        return said

    @app.exception_handler(RequestValidationError)
    async def of_form(request: Request, _error: RequestValidationError) -> Response:
        says = "a value in the address or the headers is malformed: correct it"
        return answer(request, pages, 422, "invalid_request", says)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> Response:
        _log.error("unexpected", kind=type(error).__name__)
        return answer(request, pages, 500, SignerError.code, "internal error")


def answer(request: Request, pages: Pages, status: int, code: str, says: str) -> Response:
    """Return the error as whoever asks can read it."""
    if "text/html" in request.headers.get("accept", ""):
        return error_page(request, pages, status, says)
    return problem(status, code, says)


def error_page(request: Request, pages: Pages, status: int, says: str = "") -> Response:
    """Return the error as a page; `says` are the words of the error, in English."""
    t = pages.texts(request)
    like = status if status in PAGES else 500 if status >= 500 else 422
    return pages.render(
        request,
        "design/templates/error.html",
        status,
        number=status,
        title=t(f"design.wrong.{like}.title"),
        what_to_do=t(f"design.wrong.{like}.do"),
        says=says if like in (403, 409, 422) else "",  # of the others the title says it all
    )


def status_of(error: SignerError) -> int:
    """Return the HTTP status of an error: that of the nearest class in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(status: int, code: str, says: str) -> Response:
    """Return problem details with the stable name of the reason."""
    content = {"type": f"urn:diia-signer:error:{code}", "title": says, "status": status}
    return JSONResponse(content, status, media_type="application/problem+json")


def _phrase(status: int) -> str:
    return HTTPStatus(status).description or HTTPStatus(status).phrase
