"""Addresses in records: what every browser and client reads the same way."""

import re
from typing import Final
from urllib.parse import urlsplit

MAX_CHARACTERS: Final = 300
_LOOPBACK: Final = ("127.0.0.1", "localhost")  # where a developer's program listens
_AUTHORITY: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9:/?&=%._~!$'()*+,;@\[\]-]+")  # RFC 3986, without "#"


def check_web_address(what: str, address: str) -> None:
    """Check an absolute address; `what` names it in the error.

    1. At most 300 characters of those that RFC 3986 has, no fragment.
    2. https, or http on loopback.
    3. A host of small letters, digits, hyphens and dots, and perhaps a port: no user, no backslash,
       nothing that one program reads as a host and another does not.

    Raises:
        ValueError: at the first that fails.
    """
    if len(address) > MAX_CHARACTERS or not _CHARACTERS.fullmatch(address):  # 1
        raise ValueError(f"{what} is not a URL of at most 300 characters without fragment")
    url = urlsplit(address)
    if url.scheme != "https" and (url.scheme != "http" or url.hostname not in _LOOPBACK):  # 2
        raise ValueError(f"{what} is https, or http on loopback")
    if not _AUTHORITY.fullmatch(url.netloc) or url.port == 0:  # 3; a port above 65535 raises
        raise ValueError(f"{what} has a host of a-z, 0-9, dot and hyphen, and no user")
