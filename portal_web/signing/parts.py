"""What partners' requests for signatures work with: their API, and the browsers that they send."""

from dataclasses import dataclass

from grpc_api.clients.offers import OfferView
from grpc_api.clients.partners import Partner
from portal_web.partner_api.bodies import Links
from portal_web.partner_api.caller import Partners
from portal_web.partner_api.desk import OfferDesk, Offers
from portal_web.sessions.cookies import SealedCookies
from portal_web.signing.errands import SigningErrands
from portal_web.signing.tickets import Ticket, Tickets
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import same_device_link


@dataclass(frozen=True, slots=True)
class SigningParts:
    """Made once a process."""

    offers: Offers
    partners: Partners
    cookies: SealedCookies
    tickets: Tickets
    public_url: str  # of the portal, without a slash at its end

    def desk(self) -> OfferDesk:
        """Return what the API does."""
        return OfferDesk(self.offers, self.links)

    def errands(self) -> SigningErrands:
        """Return the errands of browsers that came with a ticket."""
        return SigningErrands(self.cookies)

    def links(self, partner: Partner, offer_id: OfferId, view: OfferView) -> Links:
        """Return where an offer is opened."""
        ticket = Ticket(
            offer=offer_id.hex(),
            ends_at_s=view.state.expires_at_s,
            name_uk=partner.name_uk,
            name_en=partner.name_en,
            return_address=view.return_address,
        )
        sign_url = f"{self.public_url}/sign/{self.tickets.seal(ticket)}"
        if not view.same_device:
            return Links(sign_url)
        return Links(sign_url, same_device_link(self.public_url, offer_id, view.link_secret))
