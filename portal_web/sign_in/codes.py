"""The QR codes and links of an offer that is waited for."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from portal_web.sign_in.qr import QrCode, QrPainter
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import qr_link, same_device_link

# Links of one portal are all of one length: a Unix second has ten digits until the year 2286.
_painter = functools.cache(QrPainter)


@dataclass(frozen=True, slots=True)
class OfferCodes:
    """Makes what leads a phone to one offer."""

    public_url: str  # of the portal, without a slash at its end
    offer_id: OfferId
    link_secret: bytes = field(repr=False)  # 32 bytes
    now_s: Callable[[], float] = field(repr=False)  # Unix time

    def qr(self) -> QrCode:
        """Return the QR code of this second."""
        link = qr_link(self.public_url, self.offer_id, self.link_secret, int(self.now_s()))
        return _painter(len(link)).paint(link.encode("ascii"))

    def packed(self) -> str:
        """Return the QR code of this second as a browser draws it."""
        return self.qr().packed()

    def same_device(self) -> str:
        """Return the link of the button on the phone itself."""
        return same_device_link(self.public_url, self.offer_id, self.link_secret)
