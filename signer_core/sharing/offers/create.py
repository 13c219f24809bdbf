"""Making an offer: from a partner's wish to links that a phone may open."""

import secrets
from dataclasses import dataclass

from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.identifiers import OfferId
from signer_core.observe.metrics import OFFERS
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.model import Offer, OfferContent, OfferFile, Stored
from signer_core.sharing.offers.new_offer import NewOffer
from signer_core.signing.model import Clock
from signer_core.signing.relying_parties import RelyingParties, record_for
from signer_core.storage.signer.offers import Offers


@dataclass(frozen=True, slots=True)
class OfferCreation:
    """Makes offers."""

    offers: Offers
    relying_parties: RelyingParties
    clock: Clock

    async def create(self, new: NewOffer) -> Offer:
        """Make an offer.

        1. What is asked is well-formed; the partner may ask for it, and return there.
        2. The same wish under the same idempotency key gives the same offer.
        3. It is stored, with its link secret.

        Raises:
            InvalidRequestError: 1, or 2 with another content.
            NotFoundError: no such relying party.
            DeniedError: it is suspended, or may not ask for this.
            UnavailableError: the database is away; repeat with the same idempotency key.
        """
        kind = new.check()  # 1
        record = await record_for(
            self.relying_parties, new.relying_party_id, kind, new.return_address
        )
        known = await self._find(new)  # 2
        if known is not None:
            return known
        offer = self._make(new, kind, record)
        documents = [file.document for file in new.files]
        if await self.offers.add(offer, new.origin(), documents):  # 3
            OFFERS.labels(kind, "open").inc()
            return offer
        known = await self._find(new)
        if known is None:
            raise UnavailableError("the offer could not be stored: try again")
        return known

    async def _find(self, new: NewOffer) -> Offer | None:
        origin = new.origin()
        found = await self.offers.find_by_origin(new.relying_party_id, origin)
        if found is None:
            return None
        offer_id, fingerprint = found
        if fingerprint != origin.fingerprint:
            raise InvalidRequestError("this idempotency key was used for another offer")
        return await self.offers.get(offer_id)

    def _make(self, new: NewOffer, kind: RequestKind, record: str) -> Offer:
        now_s = int(self.clock().timestamp())
        files = (
            OfferFile(file.name, file.file_hash, len(file.document), file.media_type)
            for file in new.files
        )
        content = OfferContent(
            relying_party_id=new.relying_party_id,
            relying_party=record,
            kind=kind,
            purpose=new.purpose,
            return_address=new.return_address,
            challenge=new.challenge,
            statement=new.statement,
            initiator=new.initiator,
            same_device=new.same_device,
            person_code=new.person_code,
            files=tuple(files),
        )
        return Offer(
            offer_id=OfferId(secrets.token_bytes(16)),
            content=content,
            link_secret=secrets.token_bytes(32),
            stored=Stored.OPEN,
            created_at_s=now_s,
            expires_at_s=now_s + new.lasts_s(),
        )
