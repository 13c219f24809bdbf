"""Claiming: the phone that opens a link gets a request under its own key, once."""

import functools
import secrets
from dataclasses import dataclass
from datetime import datetime

from signer_core.audit.events import Event
from signer_core.errors import DeniedError, NotFoundError
from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.observe.metrics import OFFERS
from signer_core.protocol.offer_link import OfferLink
from signer_core.protocol.request_kind import OF_CHALLENGE
from signer_core.sharing.offers.link_check import Flaw, LinkRefusedError, verify_link
from signer_core.sharing.offers.model import Offer, OfferContent, OfferStatus
from signer_core.signing import detached
from signer_core.signing.model import (
    Clock,
    FileEntry,
    PreparedFile,
    Request,
    RequestContent,
    RequestStatus,
)
from signer_core.signing.opening import Opening
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.offers import Offers


@dataclass(frozen=True, slots=True)
class Claims:
    """Turns offers into requests."""

    offers: Offers
    certificates: Certificates
    opening: Opening
    outbox: AuditOutbox
    clock: Clock

    async def claim(self, key_id: KeyId, link: OfferLink) -> RequestId:
        """Claim an offer for a key.

        1. A phone that has claimed it already gets its request again, whatever the code's age.
        2. The link is good; one that is not is audited, for it may have been relayed.
        3. The offer is for this person, or for anybody.
        4. It is open, and nobody else is faster.
        5. The vault knows the request; from now on it is open.

        Raises:
            NotFoundError: no such offer, it is not open any more, or no certificate of this key.
            DeniedError: 2 or 3.
            InvalidRequestError, KeyBlockedError, KeySuspendedError, RetireShareError: the vault
                refuses; the offer is open again.
            UnavailableError: the vault is away; repeat it.
        """
        offer = await self.offers.get(link.offer_id)
        if offer.claimed is not None and offer.claimed.key_id == key_id:  # 1
            return await self.opening.open(offer.claimed.request_id)
        now = self.clock().replace(microsecond=0)
        certificate = await self.certificates.of_key(key_id)
        certificate.check_valid_at(int(now.timestamp()))
        try:
            verify_link(offer, link, int(now.timestamp()))  # 2
            _verify_person(offer, certificate)  # 3
        except LinkRefusedError as refused:
            await self._record_refusal(key_id, offer, refused.flaw)
            raise DeniedError(str(refused)) from None
        request_id = await self._take(offer, certificate, now)  # 4
        return await self.opening.open(request_id)  # 5

    async def _take(self, offer: Offer, certificate: PersonCertificate, now: datetime) -> RequestId:
        now_s = int(now.timestamp())
        if offer.status_at(now_s) is not OfferStatus.OPEN:
            raise NotFoundError(_too_late(offer, now_s))
        files = [detached.prepare(one, certificate, now) for one in _entries(offer.content)]
        request = _request(offer, certificate.key_id, files, now_s)
        about = offer.offer_id.hex()
        event = Event("offer", "claimed", certificate.key_id, request.request_id, subject=about)
        record = functools.partial(self.outbox.record, event=event)
        if not await self.offers.claim(offer.offer_id, request, files, now_s, record):
            raise NotFoundError("another phone was faster, or the time is over: begin again")
        OFFERS.labels(offer.content.kind, OfferStatus.SHOWN).inc()
        return request.request_id

    async def _record_refusal(self, key_id: KeyId, offer: Offer, flaw: Flaw) -> None:
        OFFERS.labels(offer.content.kind, flaw).inc()
        about = offer.offer_id.hex()
        event = Event("offer", "refused", key_id, reason=flaw, subject=about)
        await self.outbox.record_alone(event)


def _verify_person(offer: Offer, certificate: PersonCertificate) -> None:
    wanted = offer.content.person_code
    if wanted and wanted != certificate.person_code:
        raise LinkRefusedError("this offer is for another person", "other-person")


def _too_late(offer: Offer, now_s: int) -> str:
    if offer.claimed is not None:
        return "another phone has opened this already: begin again on the partner's page"
    return f"this offer is {offer.status_at(now_s)}: begin again on the partner's page"


def _entries(content: OfferContent) -> list[FileEntry]:
    """Return what is to be signed, without the bytes that a key signs for it."""
    if content.kind in OF_CHALLENGE:
        return [FileEntry("", content.challenge, b"", 0)]
    return [
        FileEntry(file.name, file.file_hash, b"", file.size_bytes, media_type=file.media_type)
        for file in content.files
    ]


def _request(offer: Offer, key_id: KeyId, files: list[PreparedFile], now_s: int) -> Request:
    asked = offer.content
    content = RequestContent(
        key_id=key_id,
        kind=asked.kind,
        relying_party=asked.relying_party,
        purpose=asked.purpose,
        return_address=asked.return_address,
        challenge=asked.challenge,
        statement=asked.statement,
        initiator=asked.initiator,
        offer_id=offer.offer_id,
    )
    request = Request(
        request_id=RequestId(secrets.token_bytes(16)),
        content=content,
        request_hash=b"",
        status=RequestStatus.NEW,
        created_at_s=now_s,
        expires_at_s=offer.expires_at_s,
    )
    return request.with_files(file.entry for file in files)
