"""Whether a link is good now (docs/spec/offer-link.md): a photographed code is worthless."""

from hmac import compare_digest
from typing import Final, Literal

from signer_core.protocol.offer_link import OfferLink, qr_code, same_device_code
from signer_core.sharing.offers.model import Offer

GOOD_FOR_S: Final = 2  # the seconds before this one whose codes are still taken
AHEAD_S: Final = 1  # of the clock of whoever made the code

Flaw = Literal["old-code", "wrong-code", "other-person"]


class LinkRefusedError(Exception):
    """A link that is not good, and in which way: a word for the audit log. Denied to the phone."""

    def __init__(self, sentence: str, flaw: Flaw) -> None:
        super().__init__(sentence)
        self.flaw: Flaw = flaw


def verify_link(offer: Offer, link: OfferLink, now_s: int) -> None:
    """Check the code of a link against the offer's secret.

    1. The code is made with this offer's secret, for this use and this second.
    2. A link of the same device is only for an offer that was begun there, and a QR code for one
       that was not.
    3. A QR code's second is this one or one of the two before; one ahead is allowed.

    Raises:
        LinkRefusedError: at the first that fails.
    """
    secret, offer_id = offer.link_secret, offer.offer_id
    is_local = link.step_s == 0
    expected = (
        same_device_code(secret, offer_id) if is_local else qr_code(secret, offer_id, link.step_s)
    )
    if not compare_digest(expected, link.code):  # 1
        raise LinkRefusedError("this link is not one of ours: scan the code again", "wrong-code")
    if is_local is not offer.content.same_device:  # 2
        raise LinkRefusedError("this link is for another way to open the offer", "wrong-code")
    if not is_local and link.step_s > now_s + AHEAD_S:  # 3
        raise LinkRefusedError("this code is not good yet: scan it again", "wrong-code")
    if not is_local and link.step_s < now_s - GOOD_FOR_S:
        raise LinkRefusedError(
            "this code is too old: scan the one that is on the screen now", "old-code"
        )
