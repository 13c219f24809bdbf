"""Renders the pages, and takes the forms that they post."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData

from mobile_share.simulator.web.documents import opens
from mobile_share.simulator.web.sessions import Session, session_of
from mobile_share.simulator.web.texts import Words
from mobile_share.simulator.web.trouble import PageError, Trouble
from signer_core.identifiers import RequestId

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["opens"] = opens
_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the next page says first."""

    text: str
    is_trouble: bool = False
    technical: str = ""


def page(request: Request, template: str, /, status: int = 200, **values: Any) -> Response:
    """Render a template of `templates/`; whatever comes from others is escaped."""
    session = session_of(request)
    html = _ENVIRONMENT.get_template(f"{template}.html").render(
        t=words_of(request),
        language=session.language,
        token=session.token,
        path=request.url.path,
        has_phone=session.phone_id is not None and session.enrolling is None,
        notice=session.take_notice(),
        **values,
    )
    return HTMLResponse(html, status)


def words_of(request: Request) -> Words:
    """Return the words in the language that the visitor chose."""
    return Words(session_of(request).language)


def go(path: str) -> Response:
    """Lead on after a form was posted: loading the page again posts nothing."""
    return RedirectResponse(path, 303)


def say(request: Request, key: str, **values: object) -> None:
    """Have the next page say this first."""
    session_of(request).notice = Notice(words_of(request)(key, **values))


def say_trouble(request: Request, trouble: Trouble) -> None:
    """Have the next page say first what went wrong."""
    notice = Notice(trouble.text, is_trouble=True, technical=trouble.technical)
    session_of(request).notice = notice


def retry_at(request: Request, path: str) -> None:
    """Where this form is to be filled in again, if it is refused."""
    request.state.retry_at = path


async def posted(request: Request) -> AsyncIterator[FormData]:
    """Give a form of our own page; a file in it is gone afterwards.

    Raises:
        PageError: it does not carry the session's token.
    """
    async with request.form(max_files=1, max_fields=100) as form:
        if not session_of(request).owns(form.get("token")):
            raise PageError("error_old_form", 403)
        yield form


def text_of(form: FormData, name: str, max_chars: int = 200) -> str:
    """Return a field, without spaces around it, cut to a length no honest form exceeds."""
    value = form.get(name)
    return value.strip()[: max_chars + 1] if isinstance(value, str) else ""


def parse_request_id(text: str) -> RequestId:
    """Parse the id in an address.

    Raises:
        PageError: it has another form.
    """
    if not _ID.fullmatch(text):
        raise PageError("error_not_here", 404)
    return RequestId(bytes.fromhex(text))


Form = Annotated[FormData, Depends(posted)]
Visitor = Annotated[Session, Depends(session_of)]
