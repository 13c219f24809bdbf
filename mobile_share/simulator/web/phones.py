"""The list of phones, and the language of the pages."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mobile_share.simulator.shelf import PhoneId
from mobile_share.simulator.web.pages import Form, Visitor, go, page, text_of
from mobile_share.simulator.web.surroundings import Around

routes = APIRouter()


@routes.get("/phones")
async def phones(request: Request, around: Around) -> Response:
    """List the phones of this machine."""
    return page(request, "phones", phones=around.shelf.list())


@routes.post("/phones")
async def choose(form: Form, session: Visitor, around: Around) -> Response:
    """Look at another phone."""
    phone_id = PhoneId(text_of(form, "phone"))
    around.shelf.open(phone_id)  # there is one
    session.choose(phone_id)
    return go("/")


@routes.post("/language")
async def language(form: Form, session: Visitor) -> Response:
    """Choose the language of the pages."""
    session.language = "en" if text_of(form, "language") == "en" else "uk"
    return go(_local_path(text_of(form, "path")))


def _local_path(path: str) -> str:
    """Return a path of this server, never another's: two slashes of any kind lead away."""
    is_local = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if is_local and path.isascii() else "/"
