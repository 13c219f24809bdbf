"""Errors as problem details (RFC 9457): the one place that renders them."""

from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

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

_log = structlog.get_logger(__name__)


def render_errors(app: FastAPI) -> None:
    """Answer with problem details wherever a route raises."""

    @app.exception_handler(SignerError)
    async def known(_request: Request, error: SignerError) -> Response:
        return problem(status_of(error), error.code, str(error))

    @app.exception_handler(Exception)
    async def unknown(_request: Request, error: Exception) -> Response:
        _log.error("unexpected", kind=type(error).__name__)
        return problem(500, SignerError.code, "internal error")


def status_of(error: SignerError) -> int:
    """Return the HTTP status of an error: that of the nearest class in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(status: int, code: str, says: str) -> Response:
    """Return problem details with the stable name of the reason."""
    content = {"type": f"urn:diia-signer:error:{code}", "title": says, "status": status}
    return JSONResponse(content, status, media_type="application/problem+json")
