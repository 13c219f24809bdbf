"""The link of an offer: its codes, its forms, its verification number (docs/spec/offer-link.md).

Signer and portal make codes with the link secret (32 bytes); a phone reads links and passes the
codes on.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from signer_core.errors import InvalidRequestError
from signer_core.identifiers import OfferId

ID_BYTES: Final = 16
CODE_BYTES: Final = 16
MAX_LINK_CHARACTERS: Final = 512
MAX_STEP: Final = 2**63 - 1

_LABEL: Final = "diia-signer/offer/v1/"
_SHORT: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # 16 bytes, base64url without padding
_STEP: Final = re.compile(r"[1-9][0-9]{0,18}")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class OfferLink:
    """What a phone reads out of a link."""

    offer_id: OfferId
    step_s: int  # Unix second of a QR code; 0 for a link of the same device
    code: bytes = field(repr=False)  # 16 bytes


def qr_code(link_secret: bytes, offer_id: OfferId, step_s: int) -> bytes:
    """Return the code (16 bytes) of a QR code shown in this Unix second."""
    return _code(link_secret, "qr", offer_id, step_s)


def same_device_code(link_secret: bytes, offer_id: OfferId) -> bytes:
    """Return the code (16 bytes) of the link on the device that began it."""
    return _code(link_secret, "same-device", offer_id, 0)


def return_code(link_secret: bytes, offer_id: OfferId) -> bytes:
    """Return the code (16 bytes) that leads the same device's browser back."""
    return _code(link_secret, "return", offer_id, 0)


def qr_link(public_url: str, offer_id: OfferId, link_secret: bytes, step_s: int) -> str:
    """Return the link in a QR code; `public_url` is the portal's, without a slash at its end."""
    code = short(qr_code(link_secret, offer_id, step_s))
    return f"{public_url}/o/{short(offer_id)}?t={step_s}&c={code}"


def same_device_link(public_url: str, offer_id: OfferId, link_secret: bytes) -> str:
    """Return the link of the button on the phone itself."""
    return f"{public_url}/o/{short(offer_id)}?d={short(same_device_code(link_secret, offer_id))}"


def return_link(public_url: str, offer_id: OfferId, link_secret: bytes) -> str:
    """Return where the phone sends its own browser once the offer is approved."""
    return f"{public_url}/o/{short(offer_id)}/return?r={short(return_code(link_secret, offer_id))}"


def parse_link(link: str) -> OfferLink:
    """Read a link of an offer, from a QR code or a button.

    Which host it names says nothing and is not looked at: the signer judges the code, the phone
    the request.

    Raises:
        InvalidRequestError: it is no such link.
    """
    try:
        return _parse(link)
    except ValueError:
        raise InvalidRequestError("this is no link of an offer: scan the code again") from None


def verification_number(request_hash: bytes) -> str:
    """Return the four digits that phone and browser show for a request (hash: 32 bytes)."""
    digest = hashlib.sha256(f"{_LABEL}number".encode() + b"\0" + request_hash).digest()
    return f"{int.from_bytes(digest[-2:], 'big') % 10_000:04}"


def short(data: bytes) -> str:
    """Write 16 bytes as a link does: 22 characters of base64url."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def parse_short(text: str) -> bytes:
    """Read what `short` wrote.

    Raises:
        ValueError: it is not 16 bytes in their one form.
    """
    data = urlsafe_b64decode(f"{text}==") if _SHORT.fullmatch(text) else b""
    if short(data) != text:  # two bits of the last character say nothing: they are zero
        raise ValueError("not 16 bytes")
    return data


def _parse(link: str) -> OfferLink:
    if len(link) > MAX_LINK_CHARACTERS or not link.isascii() or not link.isprintable():
        raise ValueError("not a link")
    url = urlsplit(link)
    is_local = url.scheme == "http" and url.hostname in _LOOPBACK  # of a developer
    if not (url.hostname and (url.scheme == "https" or is_local)) or url.fragment:
        raise ValueError("not a link")
    before, slash, name = url.path.rpartition("/o/")
    if before or not slash:
        raise ValueError("not a link of an offer")
    query = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
    offer_id = OfferId(parse_short(name))
    match query:
        case [("t", step), ("c", code)] if _STEP.fullmatch(step) and int(step) <= MAX_STEP:
            return OfferLink(offer_id, int(step), parse_short(code))
        case [("d", code)]:
            return OfferLink(offer_id, 0, parse_short(code))
    raise ValueError("not a link of an offer")


def _code(link_secret: bytes, use: str, offer_id: OfferId, step_s: int) -> bytes:
    message = f"{_LABEL}{use}".encode() + b"\0" + offer_id + step_s.to_bytes(8, "big")
    return hmac.digest(link_secret, message, "sha256")[:CODE_BYTES]
