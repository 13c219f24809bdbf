"""What no page may forget: whom the browser thinks it talks to, who posts, and what may run.

The phone holds keys and stands on a loopback port, where any site that the same browser shows
could reach it: by a form, by a script, or by a name that suddenly leads to 127.0.0.1.
"""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 8 << 20  # a picture of a camera
_SAFE: Final = ("GET", "HEAD")
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",  # with less, a browser hides the origin of a form
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Stands before the whole application.

    1. `Host` is `localhost` with our port: a name that somebody else owns is refused, whatever
       address it leads to. `127.0.0.1` is sent on to `localhost`, whose cookies no other server
       of this machine gets as long as that one is opened by its number.
    2. A body has a length, of at most 8 MiB.
    3. Whatever changes something comes from our own page (`Origin`, `Sec-Fetch-Site`).
    4. Every answer has the headers above, unless the route was stricter.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._host = f"localhost:{port}"
        self._number = f"127.0.0.1:{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refuse(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refuse(self, method: str, path: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if host == self._number and method in _SAFE:
            to_name = RedirectResponse(f"http://{self._host}{path}", 307)
            return to_name if path != "/health" else None
        if host != self._host:  # 1
            return _no(421, "This is not the address of the phone: open http://localhost instead.")
        if method in _SAFE:
            return None
        if not _has_fair_length(headers):  # 2
            return _no(413, "That is too large: at most 8 MiB.")
        if not self._is_own_page(headers):  # 3
            return _no(403, "Only the phone's own pages may do this.")
        return None

    def _is_own_page(self, headers: Headers) -> bool:
        is_own = headers.get("origin") == f"http://{self._host}"
        return is_own and headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _has_fair_length(headers: Headers) -> bool:
    length = headers.get("content-length", "")
    return length.isascii() and length.isdecimal() and int(length) <= MAX_BODY_BYTES


def _no(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence + "\n", status)
