"""The link of an offer, in a QR code or on a button (docs/spec/offer-link.md)."""

import re
from typing import Final

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import MAX_LINK_CHARACTERS, OfferLink, parse_link, short

_SHORT: Final = r"[A-Za-z0-9_-]{22}"
_FORM: Final = re.compile(rf"{_SHORT}\?(?:t=[1-9][0-9]{{0,18}}&c={_SHORT}|d={_SHORT})")


def parse_offer_link(text: str, public_url: str) -> OfferLink:
    """Read a link; nothing is opened, and no other spelling of the same link is taken.

    1. It begins with the deployment's own `public_url` (`https://host`, as the phone pinned it).
    2. What follows has one of the two forms, character for character.

    Raises:
        VerificationError: it leads to another place.
        InvalidRequestError: it is of this deployment, and no link of an offer.
    """
    start = f"{public_url}/o/"
    if not public_url or not text.startswith(start) or len(text) > MAX_LINK_CHARACTERS:  # 1
        raise VerificationError("this leads to another place than your signer: it is not opened")
    if not _FORM.fullmatch(text.removeprefix(start)):  # 2
        raise InvalidRequestError("this is no link of an offer: scan the code again")
    return parse_link(text)


def parse_return_link(url: str, public_url: str, offer_id: OfferId) -> str:
    """Return the way back into this device's browser, as the signer gave it.

    Raises:
        VerificationError: it is not the deployment's own, for this very offer.
    """
    start = f"{public_url}/o/{short(offer_id)}/return?r="
    if not public_url or not re.fullmatch(rf"{re.escape(start)}{_SHORT}", url):
        raise VerificationError("the way back leads to another place: it is not opened")
    return url
