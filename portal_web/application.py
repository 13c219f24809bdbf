"""The portal's web application: every route, given what they need."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from portal_web.errors import render_errors
from portal_web.trust.routes import trust_routes
from signer_core.trust.ports import TrustServices


def make_application(
    trust: TrustServices, is_signer_serving: Callable[[], Awaitable[bool]]
) -> FastAPI:
    """Put the routes together; `is_signer_serving` asks the signer's health."""
    app = FastAPI(openapi_url=None)
    render_errors(app)
    app.include_router(trust_routes(trust))

    @app.get("/health")
    async def health() -> Response:
        """Say whether this process can do its work now."""
        serving = await is_signer_serving()
        says = "serving" if serving else "the signer does not answer"
        return JSONResponse(
            {"status": says}, 200 if serving else 503, {"Cache-Control": "no-store"}
        )

    return app
