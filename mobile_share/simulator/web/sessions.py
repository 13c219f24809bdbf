"""Which phone a browser looks at, and what it was shown. In memory: a restart asks again."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request as WebRequest
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobile_share.enrolment import Begun
from mobile_share.phone import Phone
from mobile_share.requests import Request
from mobile_share.simulator.acts import Done
from mobile_share.simulator.shelf import PhoneId
from mobile_share.simulator.web.trouble import Trouble
from signer_core.identifiers import RequestId

COOKIE: Final = "browser_phone"
MAX_SESSIONS: Final = 256  # of one machine's visitor; the oldest goes
_MAX_SHOWN: Final = 64

Language = Literal["uk", "en"]


@dataclass(frozen=True, slots=True)
class Enrolling:
    """An enrolment between two pages."""

    phone: Phone
    begun: Begun = field(repr=False)
    is_confirmed: bool = False  # the person said: this is me


@dataclass(slots=True)
class Result:
    """What one PIN brought. Mutable: it grows request by request."""

    signed: list[tuple[Request, Done | None]] = field(default_factory=list, repr=False)
    tried: Request | None = field(default=None, repr=False)  # the last one
    is_presence: bool = False  # an antibot request: there is no signature
    return_url: str = ""  # for this browser, of a same-device offer
    trouble: Trouble | None = None  # why the last one is not signed


@dataclass(slots=True)
class Session:
    """One browser. Mutable: it is what happens between its pages. No PIN is ever in it."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    language: Language = "uk"
    phone_id: PhoneId | None = None
    enrolling: Enrolling | None = field(default=None, repr=False)
    activation_code: str = field(default="", repr=False)  # from the sandbox, for the next page
    shown: OrderedDict[RequestId, Request] = field(default_factory=OrderedDict, repr=False)
    result: Result | None = field(default=None, repr=False)  # for the page after a PIN
    notice: object = None  # what the next page says first
    is_id_due: bool = True  # the browser gets a new cookie with the next answer

    def show(self, request: Request) -> None:
        """Remember what the person is looking at: this, and nothing fetched later, is signed."""
        self.shown[request.request_id] = request
        self.shown.move_to_end(request.request_id)
        while len(self.shown) > _MAX_SHOWN:
            self.shown.popitem(last=False)

    def take_notice(self) -> object:
        """Return what the next page is to say, once."""
        notice, self.notice = self.notice, None
        return notice

    def choose(self, phone_id: PhoneId | None) -> None:
        """Look at another phone; nothing of the one before stays."""
        self.phone_id, self.enrolling, self.is_id_due = phone_id, None, True
        self.shown.clear()

    def owns(self, token: object) -> bool:
        """Tell whether a form is of this session."""
        return isinstance(token, str) and compare_digest(token.encode(), self.token.encode())


class Sessions:
    """Gives each browser its session: the application's middleware around every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._by_id: OrderedDict[str, Session] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the session of the cookie, or a new one, into the request's state."""
        session_id = cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE, "")
        session = self._by_id.get(session_id) or Session()
        scope.setdefault("state", {})["session"] = session

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and session.is_id_due:
                self._rename(session_id, session, MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _rename(self, old_id: str, session: Session, headers: MutableHeaders) -> None:
        """Store the session under a new id: of a new browser, or after a phone was chosen."""
        self._by_id.pop(old_id, None)
        new_id, session.is_id_due = secrets.token_urlsafe(32), False
        self._by_id[new_id] = session
        while len(self._by_id) > MAX_SESSIONS:
            self._by_id.popitem(last=False)
        headers.append("Set-Cookie", f"{COOKIE}={new_id}; Path=/; HttpOnly; SameSite=Lax")


def session_of(request: WebRequest) -> Session:
    """Return the session of a browser."""
    session = request.state.session
    assert isinstance(session, Session)  # noqa: S101  `Sessions` stands before every page
    return session
