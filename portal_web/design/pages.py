"""Pages: a template and a language make an answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jinja2
from fastapi.responses import HTMLResponse
from starlette.requests import Request

from portal_web.design.assets import Assets
from portal_web.design.texts import COOKIE, LANGUAGES, Texts, language_of, load_texts

_ROOT: Final = Path(__file__).parent.parent
_A_YEAR_S: Final = 365 * 24 * 3600


class Pages:
    """Renders `portal_web/FEATURE/templates/NAME.html`, named "FEATURE/templates/NAME.html"."""

    def __init__(self, assets: Assets, *, is_secure: bool = False, phone_url: str = "") -> None:
        self._texts: Mapping[str, Texts] = load_texts()
        self._is_secure = is_secure  # whether browsers come over TLS
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_ROOT),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = assets.address
        self._templates.globals["phone_url"] = phone_url  # of the developers' phone, or empty

    def texts(self, request: Request) -> Texts:
        """Return the texts in the language of an answer to `request`."""
        return self._texts[language_of(request)]

    def render(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Return a page; a language that was asked for in the address is kept in a cookie."""
        t = self.texts(request)
        page = self._templates.get_template(template)
        html = page.render(t=t, language=t.language, languages=_switch(request), **values)
        answer = HTMLResponse(html, status, {"Content-Language": t.language})
        if request.query_params.get(COOKIE) in LANGUAGES:
            answer.set_cookie(
                COOKIE, t.language, _A_YEAR_S, secure=self._is_secure, httponly=True, samesite="lax"
            )
        return answer


def _switch(request: Request) -> dict[str, str]:
    """Return where this page is in each language."""
    # Relative to the host as the browser knows it: a Host header made up by somebody is no part.
    return {
        language: f"?{request.url.include_query_params(lang=language).query}"
        for language in LANGUAGES
    }
