"""The keys that ID tokens are checked with, as a JWK set (RFC 7517)."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Final

from joserfc.jwk import ECKey, KeySet

from portal_web.login.ports import LoginStore
from signer_core.login.ports import LoginKey

KEEP_S: Final = 300  # a cache may keep the list; the next key is in it for longer before it signs
_FRESH_S: Final = 30.0


def jwk(key: LoginKey) -> dict[str, Any]:
    """Return a key as a JWK."""
    x, y = key.public_key[1:33], key.public_key[33:65]  # SEC 1 §2.3.3
    point = {"kty": "EC", "crv": "P-256", "x": _encode(x), "y": _encode(y)}
    return {**point, "kid": key.kid, "use": "sig", "alg": "ES256"}


def key_set(keys: Iterable[LoginKey]) -> KeySet:
    """Return keys as joserfc checks with."""
    return KeySet([ECKey.import_key(jwk(one)) for one in keys])


class KeyList:
    """The list as it is served. Mutable: it remembers it for half a minute."""

    def __init__(self, logins: LoginStore) -> None:
        self._logins = logins
        self._known: tuple[float, bytes] | None = None

    async def read(self) -> bytes:
        """Return the list in JSON."""
        if self._known is None or time.monotonic() - self._known[0] >= _FRESH_S:
            keys = [jwk(one) for one in await self._logins.keys()]
            self._known = (time.monotonic(), json.dumps({"keys": keys}).encode())
        return self._known[1]


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
