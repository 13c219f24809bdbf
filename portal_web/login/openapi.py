"""What the OpenAPI description says of parameters that Authlib reads."""

from collections.abc import Mapping
from typing import Any, Final, Literal

_CLIENT: Final = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
_AUTHORIZATION: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "ui_locales",
    "acr_values",
    "response_mode",
    "request_uri",
)
_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "authorize": _AUTHORIZATION,
    "par": tuple(dict.fromkeys((*_AUTHORIZATION, *_CLIENT))),
    "token": ("grant_type", "code", "redirect_uri", "code_verifier", *_CLIENT),
    "revoke": ("token", "token_type_hint", *_CLIENT),
    "logout": ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"),
}
_TEXT: Final = {"type": "string"}


def described(name: str, where: Literal["body", "query"] = "body") -> dict[str, Any]:
    """Return what a route is declared with."""
    parameters = _PARAMETERS[name]
    if where == "query":
        listed = [{"in": "query", "name": one, "schema": _TEXT} for one in parameters]
        return {"openapi_extra": {"parameters": listed}}
    properties = {"type": "object", "properties": dict.fromkeys(parameters, _TEXT)}
    content = {"application/x-www-form-urlencoded": {"schema": properties}}
    return {"openapi_extra": {"requestBody": {"content": content}}}
