"""What a browser says of itself, in two words: a hint on the phone of who began a login."""

import re
from typing import Final

from starlette.requests import Request

# The order matters: nearly every browser also claims to be Safari, and Edge to be Chrome.
_BROWSERS: Final = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl")
_NAMES: Final = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS: Final = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "CrOS", "Linux")
_LOOKED_AT: Final = 500  # characters


def describe(request: Request) -> str:
    """Return e.g. "Firefox, Linux"; empty where the browser says nothing that we know."""
    says = request.headers.get("user-agent", "")[:_LOOKED_AT]
    return ", ".join(part for part in (_first(_BROWSERS, says), _first(_SYSTEMS, says)) if part)


def _first(words: tuple[str, ...], says: str) -> str:
    found = next((word for word in words if re.search(rf"\b{word}\b", says)), "")
    return _NAMES.get(found, found)
