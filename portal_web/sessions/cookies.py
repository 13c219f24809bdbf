"""Cookies that the browser keeps and cannot read: Fernet (AES-128-CBC, HMAC-SHA256, with its time).

A cookie is bound to its name: the content of one is never taken for that of another.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.fernet import InvalidToken, MultiFernet
from starlette.requests import Request
from starlette.responses import Response

MAX_COOKIE_BYTES: Final = 3800  # browsers keep 4096 with name and attributes (RFC 6265 §6.1)


class SealedCookies:
    """Writes and reads encrypted cookies; `is_secure` says that browsers come over TLS."""

    def __init__(self, keys: MultiFernet, *, is_secure: bool) -> None:
        self._keys = keys
        self._is_secure = is_secure

    def write(self, response: Response, name: str, content: Mapping[str, Any], ttl_s: int) -> None:
        """Set a cookie of JSON content that is good for `ttl_s` seconds.

        Raises:
            ValueError: it is too long for a browser, a defect of the caller.
        """
        sealed = self._keys.encrypt(json.dumps([name, content]).encode()).decode()
        if len(sealed) > MAX_COOKIE_BYTES:
            raise ValueError(f"cookie {name} would have {len(sealed)} bytes")
        response.set_cookie(
            self._full(name), sealed, ttl_s, secure=self._is_secure, httponly=True, samesite="lax"
        )

    def read(self, request: Request, name: str, ttl_s: int) -> dict[str, Any] | None:
        """Return the content of a cookie of ours not older than `ttl_s` seconds, or None."""
        sealed = request.cookies.get(self._full(name), "")
        try:
            whose, content = json.loads(self._keys.decrypt(sealed, ttl_s))
        except (InvalidToken, ValueError):  # not ours, or not even ASCII
            return None
        return content if whose == name else None

    def delete(self, response: Response, name: str) -> None:
        """Tell the browser to forget a cookie."""
        response.delete_cookie(
            self._full(name), secure=self._is_secure, httponly=True, samesite="lax"
        )

    def _full(self, name: str) -> str:
        # The prefix makes a browser refuse one that another host or plain HTTP sets (RFC 6265bis).
        return f"__Host-{name}" if self._is_secure else name
