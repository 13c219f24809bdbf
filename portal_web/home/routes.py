"""The start page."""

from fastapi import APIRouter, Request, Response

from portal_web.design.pages import Pages


def home_routes(pages: Pages) -> APIRouter:
    """Return the route."""
    routes = APIRouter()

    @routes.get("/")
    async def home(request: Request) -> Response:
        """Say what the system is, for somebody who has just started it."""
        return pages.render(request, "home/templates/home.html")

    return routes
