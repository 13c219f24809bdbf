"""The session of a browser, and the tokens that show a form to be from a page of ours."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from portal_web.sessions.cookies import SealedCookies
from portal_web.trust.bodies import read_body
from signer_core.errors import DeniedError, InvalidRequestError

COOKIE: Final = "portal_session"  # a cookie is every port's of a host: partners say "session", too
TTL_S: Final = 3600
TOKEN_FIELD: Final = "form_token"  # noqa: S105  # the name of a field, no secret
_MAX_FORM_BYTES: Final = 64 << 10
_MAX_FIELDS: Final = 100


@dataclass(frozen=True, slots=True)
class Session:
    """What is remembered of one browser; `content` is small and JSON."""

    session_id: str = field(repr=False)  # 32 random bytes, base64url
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def with_content(self, **content: Any) -> "Session":
        """Return it with more, or other, content."""
        return replace(self, content={**self.content, **content})


class Sessions:
    """Reads, writes and renews sessions; nothing of them stays on the server."""

    def __init__(self, cookies: SealedCookies) -> None:
        self._cookies = cookies

    def read(self, request: Request) -> Session:
        """Return the browser's session, a new one if it has none that is good."""
        kept = self._cookies.read(request, COOKIE, TTL_S)
        return Session(kept["id"], kept["content"]) if kept else new_session()

    def write(self, response: Response, session: Session) -> None:
        """Hand the session to the browser."""
        kept = {"id": session.session_id, "content": session.content}
        self._cookies.write(response, COOKIE, kept, TTL_S)

    def end(self, response: Response) -> None:
        """Tell the browser to forget its session."""
        self._cookies.delete(response, COOKIE)


def new_session(content: Mapping[str, Any] | None = None) -> Session:
    """Return a session under a fresh id; `content` of an old one makes this its successor.

    An id is never carried over a step of a login: one that somebody planted is worth nothing after.
    """
    return Session(secrets.token_urlsafe(32), content or {})


def form_token(session: Session, purpose: str) -> str:
    """Return the token of a form (43 characters): of this session and this purpose."""
    code = hmac.digest(session.session_id.encode(), f"form\0{purpose}".encode(), "sha256")
    return urlsafe_b64encode(code).rstrip(b"=").decode()


async def read_form(request: Request, session: Session, purpose: str) -> dict[str, str]:
    """Return the fields of a posted form of ours.

    1. It was not sent by a page of another site.
    2. It is urlencoded UTF-8 of at most 64 KiB and 100 fields, none twice.
    3. Its token is of this session and purpose.

    Raises:
        DeniedError: 1 or 3.
        InvalidRequestError: 2.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):  # 1
        raise DeniedError("the form came from another site: open the page here and try again")
    fields = _fields(await read_body(request, _MAX_FORM_BYTES))  # 2
    token = fields.pop(TOKEN_FIELD, "")
    if not hmac.compare_digest(token.encode(), form_token(session, purpose).encode()):  # 3
        raise DeniedError("the form is too old: go back, load the page again and repeat")
    return fields


def _fields(body: bytes | None) -> dict[str, str]:
    if body is None:
        raise InvalidRequestError("the form is too long: shorten what you typed")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise InvalidRequestError("the form cannot be read: send it from its page") from None
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequestError("the form has a field twice: send it from its page")
    return dict(pairs)
