"""Whether the browser is on a phone, where the app is a tap away."""

import re
from typing import Final

from starlette.requests import Request

# A hint and no more: a person who is not where it says finds a link to the other way.
_PHONE: Final = re.compile(r"Android.{0,200}Mobile|iPhone|iPod|Windows Phone")


def prefers_same_device(request: Request) -> bool:
    """Return whether an offer for this browser is best made for the device it is on."""
    hint = request.headers.get("sec-ch-ua-mobile")  # a Client Hint, ?1 or ?0
    if hint is not None:
        return hint.strip() == "?1"
    return _PHONE.search(request.headers.get("user-agent", "")[:1000]) is not None
