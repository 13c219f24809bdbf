"""JSON in the one form that can be sealed (RFC 8785)."""

import json
from typing import Any

import rfc8785

from signer_core.errors import InvalidRequestError


def canonical_json(text: bytes) -> bytes:
    """Return the canonical form of a JSON text in UTF-8.

    Refused is what two programs may read differently (RFC 8785 §3.1, RFC 7493): a name that is
    there twice, a whole number beyond 2^53, a number that is too large, half of a surrogate pair.

    Raises:
        InvalidRequestError: it is not such a text.
    """
    try:
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        canonical: bytes = rfc8785.dumps(value)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        raise InvalidRequestError("the JSON text has no one canonical form (RFC 8785)") from None
    return canonical


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is there twice")
    return value


def _no_number(_name: str) -> float:
    raise ValueError("not a number of JSON")
