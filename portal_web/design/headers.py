"""Headers that every answer of the portal has, unless its route says otherwise."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_security_policy(**changes: str) -> str:
    """Return the policy: nothing inline, nothing from elsewhere, in nobody's frame.

    A route changes a directive by its name with underscores, e.g. `form_action="'self' https:"`.
    """
    directives = {
        "default_src": "'none'",
        "script_src": "'self'",
        "style_src": "'self'",
        "font_src": "'self'",
        "img_src": "'self'",
        "connect_src": "'self'",
        "frame_src": "'self'",
        "form_action": "'self'",
        "frame_ancestors": "'none'",
        "base_uri": "'none'",
    }
    return "; ".join(
        f"{name.replace('_', '-')} {value}" for name, value in (directives | changes).items()
    )


_ALWAYS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": content_security_policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_OVER_TLS: Final = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class SecurityHeaders:
    """ASGI middleware; plain, so that an answer that never ends passes piece by piece."""

    def __init__(self, app: ASGIApp, *, is_secure: bool = False) -> None:
        self._app = app
        headers = {**_ALWAYS, **_OVER_TLS} if is_secure else _ALWAYS
        self._headers = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer with the headers back."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                there = {name.lower() for name, _ in own}
                message["headers"] = own + [one for one in self._headers if one[0] not in there]
            await send(message)

        await self._app(scope, receive, with_headers)
