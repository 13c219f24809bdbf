"""Bodies of requests: JSON of a described form, of a bounded length, or one sentence."""

from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from portal_web.trust.bodies import read_body
from signer_core.errors import InvalidRequestError

MAX_BODY_BYTES: Final = 30 << 20  # documents for reading ride in it, in base64

B = TypeVar("B", bound=BaseModel)


async def read(request: Request, kind: type[B]) -> B:
    """Read a JSON body of at most 30 MiB; no body is an empty object.

    Raises:
        InvalidRequestError: it is too long, no JSON, or a field is not as it must be.
    """
    data = await read_body(request, MAX_BODY_BYTES)
    if data is None:
        raise InvalidRequestError("the body is over 30 MiB, or came too slowly: make it smaller")
    try:
        return kind.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise InvalidRequestError(_first_of(error)) from None


def described(kind: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Describe such a body for OpenAPI: FastAPI does not see what `read` reads."""
    schema = kind.model_json_schema(mode="validation")
    whole = _inlined(schema, schema.pop("$defs", {}))
    content = {"application/json": {"schema": whole}}
    return {"requestBody": {"content": content, "required": required}}


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    says = first["msg"].removeprefix("Value error, ")
    return f"{where}: {says}" if where else f"the body is no JSON object as described: {says}"


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put definitions in their places: an operation of OpenAPI has no `$defs` of its own."""
    match schema:
        case {"$ref": str(name)}:
            return _inlined(definitions[name.rpartition("/")[2]], definitions)
        case dict():
            return {key: _inlined(value, definitions) for key, value in schema.items()}
        case list():
            return [_inlined(value, definitions) for value in schema]
    return schema
