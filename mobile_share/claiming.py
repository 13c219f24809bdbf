"""A link becomes a request of this phone's key; after the approval the browser goes on."""

from mobile_share.links import parse_offer_link, parse_return_link
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.requests import Request
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import OfferId, RequestId


async def claim_link(phone: Phone, signer: SignerClient, text: str) -> RequestId:
    """Claim the offer of a link; the request that comes of it is still unchecked.

    Raises:
        VerificationError: the link leads to another place; nothing was sent.
        InvalidRequestError: it is no link of an offer; nothing was sent.
        DeniedError: the code is too old or not the signer's, or the offer is another person's.
        NotFoundError: no such offer, another phone was faster, or its time is over.
    """
    return await signer.claim_offer(parse_offer_link(text.strip(), phone.deployment.public_url))


def only_code(codes: tuple[str, ...]) -> str:
    """Return the text of the one QR code of a picture.

    Raises:
        InvalidRequestError: there is none, or more than one: which of them was meant?
    """
    if not codes:
        raise InvalidRequestError("there is no QR code in the picture that can be read")
    if len(codes) > 1:
        raise InvalidRequestError("there are several QR codes in the picture: show one of them")
    return codes[0]


async def find_way_back(phone: Phone, signer: SignerClient, request: Request) -> str:
    """Return where this device's browser goes on after an approval; empty where nowhere.

    Raises:
        VerificationError: the signer names another place.
    """
    if not request.offer_id:
        return ""
    await signer.get_result(request.request_id)  # it looks at the vault: the offer is approved now
    url = await signer.get_return_url(request.request_id)
    public_url = phone.deployment.public_url
    return parse_return_link(url, public_url, OfferId(request.offer_id)) if url else ""
