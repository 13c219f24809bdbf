"""Taking the result of an approved offer: once, by one collector."""

import functools
from dataclasses import dataclass, field
from hmac import compare_digest

from signer_core.audit.events import Event
from signer_core.documents import reopen_cms
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.identifiers import OfferId
from signer_core.observe.metrics import OFFERS
from signer_core.protocol.offer_link import return_code
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.model import Claimed, Offer, OfferStatus
from signer_core.signing.model import Clock, Request
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import Requests

COLLECTOR_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedFile:
    """One signature."""

    name: str = field(repr=False)  # empty: of the challenge
    file_hash: bytes  # 32 bytes, SHA-256: of the file, or the challenge
    signature: bytes = field(repr=False)  # DER of a detached CMS, CAdES B-B


@dataclass(frozen=True, slots=True)
class OfferResult:
    """What a person gave to a partner."""

    signatures: tuple[SignedFile, ...]
    certificates: tuple[bytes, ...] = field(repr=False)  # DER: the person's, its issuers, the root
    approved_at_s: int  # Unix time
    antibot_token: bytes = field(default=b"", repr=False)  # 32 bytes; of other kinds none


@dataclass(frozen=True, slots=True)
class Collecting:
    """Gives results out."""

    offers: Offers
    requests: Requests
    files: Files
    certificates: Certificates
    outbox: AuditOutbox
    clock: Clock

    async def collect(self, offer_id: OfferId, collector: bytes, code: bytes) -> OfferResult:
        """Take the result; the same collector may repeat it.

        1. The collector is 32 bytes of its own choice.
        2. The offer is approved.
        3. What began on the phone ended in its own browser: the return code is there.
        4. Nobody else has collected it.

        Raises:
            NotFoundError: no such offer.
            InvalidRequestError: 1 or 2.
            DeniedError: 3 or 4; audited.
        """
        if len(collector) != COLLECTOR_BYTES:  # 1
            raise InvalidRequestError("a collector has 32 bytes")
        offer = await self.offers.get(offer_id)
        claimed = self._verify_approved(offer)  # 2
        await self._verify_return(offer, code)  # 3
        await self._take(offer, collector)  # 4
        return await self._result(offer, claimed)

    def _verify_approved(self, offer: Offer) -> Claimed:
        status = offer.status_at(int(self.clock().timestamp()))
        if status not in (OfferStatus.APPROVED, OfferStatus.CONSUMED) or offer.claimed is None:
            raise InvalidRequestError(f"this offer is not approved: it is {status}")
        return offer.claimed

    async def _verify_return(self, offer: Offer, code: bytes) -> None:
        if not offer.content.same_device:
            return
        if not compare_digest(return_code(offer.link_secret, offer.offer_id), code):
            await self.outbox.record_alone(_event(offer, "denied", "no-return-code"))
            raise DeniedError("this browser is not the one that the phone came back to")

    async def _take(self, offer: Offer, collector: bytes) -> None:
        event = _event(offer, "collected")
        record = functools.partial(self.outbox.record, event=event)
        if await self.offers.collect(offer.offer_id, collector, record):
            OFFERS.labels(offer.content.kind, OfferStatus.CONSUMED).inc()
            return
        offer = await self.offers.get(offer.offer_id)
        if not compare_digest(offer.collector, collector):
            await self.outbox.record_alone(_event(offer, "denied", "other-collector"))
            raise DeniedError("this offer was collected already")

    async def _result(self, offer: Offer, claimed: Claimed) -> OfferResult:
        request = await self.requests.get(claimed.request_id)
        ended_s = request.ended_at_s or request.expires_at_s
        if offer.content.kind is RequestKind.ANTIBOT:
            return OfferResult((), (), ended_s, offer.antibot_token)
        signatures = [
            SignedFile(file.name, file.file_hash, await self.files.signed(request.request_id, at))
            for at, file in enumerate(request.files)
        ]
        certificates = await self._certificates(request, signatures[0].signature)
        return OfferResult(tuple(signatures), certificates, ended_s)

    async def _certificates(self, request: Request, cms: bytes) -> tuple[bytes, ...]:
        """Return those in the signature, for the key's may be renewed by now; and the root."""
        root = (await self.certificates.of_key(request.content.key_id)).chain[-1]
        return (*reopen_cms(cms).certificate_chain, root)


def _event(offer: Offer, result: str, reason: str = "") -> Event:
    claimed = offer.claimed
    if claimed is None:
        raise NotFoundError("no such offer")
    about = offer.offer_id.hex()
    return Event("offer", result, claimed.key_id, claimed.request_id, reason=reason, subject=about)
