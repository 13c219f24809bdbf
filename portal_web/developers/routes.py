"""The page /developers."""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from fastapi import APIRouter, Request, Response

from grpc_api.clients.partners import MadePartner, NewSandboxPartner
from portal_web.design.pages import Pages
from portal_web.developers.form import Form, check_form
from portal_web.developers.settings import client_settings
from portal_web.errors import status_of
from portal_web.sessions.session import Sessions, form_token, read_form
from signer_core.errors import DeniedError, InvalidRequestError, SignerError, UnavailableError

_PURPOSE: Final = "developers"
_FORM: Final = "developers/templates/developers.html"
_MADE: Final = "developers/templates/made.html"
_REFUSALS: Final = (InvalidRequestError, DeniedError, UnavailableError)


class Partners(Protocol):
    """The part of `grpc_api.clients.partners.PartnersClient` that this page needs."""

    async def create_sandbox(self, new: NewSandboxPartner) -> MadePartner:
        """Make a partner of the sandbox."""
        ...


@dataclass(frozen=True, slots=True)
class DeveloperParts:
    """What the page works with."""

    partners: Partners
    sessions: Sessions
    public_url: str  # of the portal: the issuer


def developer_routes(parts: DeveloperParts, pages: Pages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    page = _Page(parts, pages)

    @routes.get("/developers")
    async def show(request: Request) -> Response:
        """Show the empty form."""
        return page.show(request, Form())

    @routes.post("/developers")
    async def make(request: Request) -> Response:
        """Make the partner and tell its secret: in this answer, and never again."""
        return await page.make(request)

    return routes


@dataclass(frozen=True, slots=True)
class _Page:
    parts: DeveloperParts
    pages: Pages

    def show(self, request: Request, form: Form, status: int = 200, says: str = "") -> Response:
        """Return the form; `says` is what the signer answered, in English."""
        session = self.parts.sessions.read(request)
        token = form_token(session, _PURPOSE)
        answer = self.pages.render(request, _FORM, status, form=form, token=token, says=says)
        self.parts.sessions.write(answer, session)
        return answer

    async def make(self, request: Request) -> Response:
        """Check, make, tell."""
        session = self.parts.sessions.read(request)
        fields = await read_form(request, session, _PURPOSE)
        form = check_form(fields, self.pages.texts(request))
        if form.errors:
            return self.show(request, form, 422)
        try:
            made = await self.parts.partners.create_sandbox(form.wish(_source(request)))
        except _REFUSALS as error:
            return self._refused(request, form, error)
        return self._told(request, form, made)

    def _refused(self, request: Request, form: Form, error: SignerError) -> Response:
        t = self.pages.texts(request)
        errors = {"name": t(f"developers.refused.{error.code}")}
        return self.show(request, replace(form, errors=errors), status_of(error), str(error))

    def _told(self, request: Request, form: Form, made: MadePartner) -> Response:
        settings = client_settings(self.parts.public_url, made, form.addresses[0])
        return self.pages.render(
            request, _MADE, made=made, form=form, settings=settings, issuer=self.parts.public_url
        )


def _source(request: Request) -> str:
    return request.client.host if request.client else ""
