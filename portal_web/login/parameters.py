"""Parameters of a request as OAuth sends them: each once, short, of characters that it allows."""

import re
from collections import defaultdict
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request
from starlette.requests import Request

from portal_web.trust.bodies import read_body

MAX_BODY_BYTES: Final = 32 << 10
MAX_QUERY_BYTES: Final = 16 << 10
_MAX_FIELDS: Final = 64
_FORM: Final = "application/x-www-form-urlencoded"
# RFC 6749 appendix A: visible ASCII and space. Authlib repeats some of these in descriptions of
# errors, where quotation marks and backslashes have no place (§4.1.2.1).
_NARROW: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_WIDE: Final = ("login_hint", "ui_locales", "claims", "id_token_hint", "logout_hint")
_LIMITS: Final = {
    "state": 1024,
    "nonce": 255,
    "redirect_uri": 1024,
    "scope": 512,
    "code_challenge": 128,
    "client_id": 64,
}


class Parameters(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    """What Authlib reads; all parameters are there once."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    @property
    def data(self) -> dict[str, str]:
        """Return them by name."""
        return self._values

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Return them by name, as a list each."""
        return defaultdict(list, {name: [value] for name, value in self._values.items()})


class LoginRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request as Authlib wants it."""

    def __init__(
        self, method: str, uri: str, values: dict[str, str], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(method, uri, headers=headers or {})
        self.payload = Parameters(values)

    @property
    def args(self) -> dict[str, str]:
        """Return the parameters."""
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters."""
        return self.payload.data


async def read_request(request: Request, public_url: str) -> LoginRequest:
    """Read the parameters of a GET from the query, of a POST from the body.

    Raises:
        OAuth2Error: they are too many, too long or malformed, or one is there twice.
    """
    if request.method == "POST":
        values = parse(await _body(request))
    else:
        query = request.scope["query_string"]
        if len(query) > MAX_QUERY_BYTES:
            raise InvalidRequestError("The request is too long.")
        values = parse(query)
    headers = {"Authorization": request.headers.get("authorization", "")}
    headers = {name: value for name, value in headers.items() if value}
    return LoginRequest(request.method, public_url + request.url.path, values, headers)


def parse(encoded: bytes) -> dict[str, str]:
    """Parse parameters.

    Raises:
        OAuth2Error: they are malformed, or one is there twice.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise InvalidRequestError("The parameters cannot be read.") from None
    values = {name: value for name, value in pairs if value}  # RFC 6749 §3.1: empty is not there
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequestError("A parameter is there twice.")
    for name, value in values.items():
        _check(name, value)
    return values


def _check(name: str, value: str) -> None:
    allowed = value.isprintable() if name in _WIDE else _NARROW.fullmatch(value) is not None
    if not allowed or _NARROW.fullmatch(name) is None:
        raise InvalidRequestError("A parameter has characters that are not allowed.")
    if len(value) > _LIMITS.get(name, MAX_BODY_BYTES):
        raise InvalidRequestError("A parameter is too long.")


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise InvalidRequestError(f"Send the parameters as {_FORM}.")
    body: Any = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        raise InvalidRequestError("The request is too long, or too slow.", status_code=413)
    return bytes(body)
