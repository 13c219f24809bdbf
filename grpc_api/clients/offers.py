"""Offers as the portal sees them: make, watch, withdraw, collect."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import grpc

from grpc_api.clients.calls import STREAM_DEADLINE_S, call, stream, typed_errors
from grpc_api.gen.signer.internal.v1 import offers_pb2 as pb
from grpc_api.gen.signer.internal.v1 import offers_pb2_grpc
from grpc_api.metadata import correlation_metadata
from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.errors import UnavailableError
from signer_core.identifiers import OfferId
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.model import OfferState, OfferStatus

__all__ = [
    "CreatedOffer",
    "HashedFile",
    "NewOffer",
    "OfferResult",
    "OfferState",
    "OfferStatus",
    "OfferView",
    "OffersClient",
    "SignedFile",
]


_STATUS: Mapping[int, OfferStatus] = {
    pb.OFFER_STATUS_OPEN: OfferStatus.OPEN,
    pb.OFFER_STATUS_SHOWN: OfferStatus.SHOWN,
    pb.OFFER_STATUS_APPROVED: OfferStatus.APPROVED,
    pb.OFFER_STATUS_DECLINED: OfferStatus.DECLINED,
    pb.OFFER_STATUS_EXPIRED: OfferStatus.EXPIRED,
    pb.OFFER_STATUS_WITHDRAWN: OfferStatus.WITHDRAWN,
    pb.OFFER_STATUS_CONSUMED: OfferStatus.CONSUMED,
    pb.OFFER_STATUS_BURNED: OfferStatus.BURNED,
}


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file to be signed by its hash."""

    name: str  # 1 to 200 characters, no path
    file_hash: bytes  # SHA-256, 32 bytes
    document: bytes = field(default=b"", repr=False)  # for reading, at most 20 MiB, or none
    media_type: str = ""  # of that document


@dataclass(frozen=True, slots=True)
class NewOffer:
    """What a partner asks of whoever opens it."""

    relying_party_id: str
    kind: RequestKind  # auth, hashedFilesSigning, consent or antibot
    purpose: str  # 1 to 300 characters, shown to the person
    idempotency_key: str  # 1 to 64 characters, the partner's own
    return_address: str = ""  # one of the partner's record, or empty
    challenge: bytes = b""  # 32 bytes; for files none
    statement: str = ""  # whose SHA-256 the challenge is, at most 4096 bytes
    ttl_s: int = 0  # 30 to 86400 seconds; 0 means 180
    initiator: str = ""  # browser and place that began it, at most 200 characters
    same_device: bool = False
    person_code: str = field(default="", repr=False)  # whose phones alone may claim it
    files: Sequence[HashedFile] = ()


@dataclass(frozen=True, slots=True)
class CreatedOffer:
    """A new offer, with what its links are made of (signer_core.protocol.offer_link)."""

    offer_id: OfferId
    expires_at_s: int  # Unix time
    link_secret: bytes = field(repr=False)  # 32 bytes


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer and its state."""

    state: OfferState
    relying_party_id: str
    kind: RequestKind
    purpose: str
    return_address: str
    same_device: bool
    link_secret: bytes = field(repr=False)  # 32 bytes


@dataclass(frozen=True, slots=True)
class SignedFile:
    """One signature."""

    name: str  # empty: of the challenge
    file_hash: bytes  # SHA-256, 32 bytes: of the file, or the challenge
    signature: bytes = field(repr=False)  # DER of a detached CMS, CAdES B-B


@dataclass(frozen=True, slots=True)
class OfferResult:
    """What a person gave."""

    signatures: tuple[SignedFile, ...]  # in the order of the files
    certificate: bytes = field(repr=False)  # DER of the person's; empty for antibot
    chain: tuple[bytes, ...] = field(repr=False)  # DER of its issuers, the root last
    approved_at_s: int  # Unix time
    antibot_token: bytes = field(repr=False)  # 32 bytes; empty for other kinds


class OffersClient:
    """What the portal may ask of the signer for partners. Every method raises SignerError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = offers_pb2_grpc.OffersServiceStub(channel)

    async def create(self, offer: NewOffer) -> CreatedOffer:
        """Make an offer; the same idempotency key and content give the same one.

        Raises:
            InvalidRequestError: a field is malformed, or the key was used for another offer.
            NotFoundError: no such relying party.
        """
        with typed_errors():
            answer = await self._stub.CreateOffer(
                _upload(offer), timeout=STREAM_DEADLINE_S, metadata=correlation_metadata()
            )
        return CreatedOffer(OfferId(answer.offer_id), answer.expires_at_s, answer.link_secret)

    async def get(self, offer_id: OfferId) -> OfferView:
        """Return an offer and its state.

        Raises:
            NotFoundError: no such offer.
        """
        answer = await call(self._stub.GetOffer, pb.GetOfferRequest(offer_id=offer_id))
        return OfferView(
            state=_state(answer.state),
            relying_party_id=answer.relying_party_id,
            kind=RequestKind(answer.kind),
            purpose=answer.purpose,
            return_address=answer.return_address,
            same_device=answer.same_device,
            link_secret=answer.link_secret,
        )

    async def watch(self, offer_id: OfferId) -> AsyncIterator[OfferState]:
        """Yield the state now and at each change, until it is final.

        Raises:
            NotFoundError: no such offer.
        """
        message = pb.WatchOfferRequest(offer_id=offer_id)
        async for answer in stream(self._stub.WatchOffer, message, deadline_s=None):
            yield _state(answer.state)

    async def withdraw(self, offer_id: OfferId) -> None:
        """Withdraw an offer that nobody has approved; repeating it is harmless.

        Raises:
            NotFoundError: no such offer.
            InvalidRequestError: it is over, or being signed.
        """
        await call(self._stub.WithdrawOffer, pb.WithdrawOfferRequest(offer_id=offer_id))

    async def collect(
        self, offer_id: OfferId, collector: bytes, return_code: bytes = b""
    ) -> OfferResult:
        """Take the result of an approved offer; the same collector (32 bytes) may repeat it.

        Raises:
            NotFoundError: no such offer.
            InvalidRequestError: it is not approved.
            DeniedError: another collector has it, or the return code (16 bytes) is not there.
        """
        message = pb.CollectOfferRequest(
            offer_id=offer_id, collector=collector, return_code=return_code
        )
        answer = await call(self._stub.CollectOffer, message)
        return OfferResult(
            signatures=tuple(
                SignedFile(one.name, one.file_hash, one.signature) for one in answer.signatures
            ),
            certificate=answer.certificate,
            chain=tuple(answer.chain),
            approved_at_s=answer.approved_at_s,
            antibot_token=answer.antibot_token,
        )


async def _upload(offer: NewOffer) -> AsyncIterator[pb.CreateOfferRequest]:
    yield pb.CreateOfferRequest(
        header=pb.OfferHeader(
            relying_party_id=offer.relying_party_id,
            kind=offer.kind,
            purpose=offer.purpose,
            return_address=offer.return_address,
            challenge=offer.challenge,
            statement=offer.statement,
            ttl_s=offer.ttl_s,
            idempotency_key=offer.idempotency_key,
            initiator=offer.initiator,
            same_device=offer.same_device,
            person_code=offer.person_code,
        )
    )
    for file in offer.files:
        yield pb.CreateOfferRequest(
            file=pb.HashedFile(
                name=file.name,
                file_hash=file.file_hash,
                size_bytes=len(file.document),
                media_type=file.media_type,
            )
        )
        for start in range(0, len(file.document), MAX_CHUNK_BYTES):
            yield pb.CreateOfferRequest(chunk=file.document[start : start + MAX_CHUNK_BYTES])


def _state(state: pb.OfferState) -> OfferState:
    if state.status not in _STATUS:
        raise UnavailableError("the signer speaks a newer version")
    return OfferState(
        status=_STATUS[state.status],
        expires_at_s=state.expires_at_s,
        decline_reason=state.decline_reason,
        verification_number=state.verification_number,
    )
