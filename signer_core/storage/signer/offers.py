"""Offers. Every change of what is stored of one is a conditional statement."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import RowMapping, Select, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import NotFoundError
from signer_core.identifiers import KeyId, OfferId, RequestId
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.model import Claimed, Offer, OfferContent, OfferFile, Stored
from signer_core.signing.model import Origin, PreparedFile, Request, RequestStatus
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.insert import insert_unless
from signer_core.storage.signer.offer_tables import offer_files, offers
from signer_core.storage.signer.request_rows import request_row
from signer_core.storage.signer.requests import insert_files
from signer_core.storage.signer.tables import requests

# Asked for every browser that waits, so built once: to build a query costs more than to run it.
_BY_ID: Final = (
    select(
        offers,
        requests.c.status.label("request_status"),
        requests.c.request_hash,
        requests.c.decline_reason,
        requests.c.ended_at_s,
    )
    .outerjoin(requests, requests.c.request_id == offers.c.request_id)
    .where(offers.c.offer_id == bindparam("the_id"))
)
_FILES: Final = (
    select(
        offer_files.c.name,
        offer_files.c.file_hash,
        offer_files.c.size_bytes,
        offer_files.c.media_type,
    )
    .where(offer_files.c.offer_id == bindparam("the_id"))
    .order_by(offer_files.c.position)
)


class Offers:
    """Offers, without the bytes of their documents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, offer: Offer, origin: Origin, documents: Sequence[bytes]) -> bool:
        """Store a new offer; return False if its origin has one already."""
        taken = (
            (offers.c.caller == origin.caller)
            & (offers.c.relying_party_id == offer.content.relying_party_id)
            & (offers.c.idempotency_key == origin.idempotency_key)
        )
        new = insert_unless(taken, offers, _offer_row(offer, origin))
        rows = [
            _file_row(offer.offer_id, position, file, document)
            for position, (file, document) in enumerate(
                zip(offer.content.files, documents, strict=True)
            )
        ]
        with suppress(IntegrityError):
            async with write_transaction(self._engine) as connection:
                if not (await connection.execute(new)).rowcount:
                    return False
                for row in rows:
                    await connection.execute(insert(offer_files).values(row))
                return True
        return False

    async def find_by_origin(
        self, relying_party_id: str, origin: Origin
    ) -> tuple[OfferId, bytes] | None:
        """Return id and fingerprint (32 bytes) of what the partner made under this key."""
        query = select(offers.c.offer_id, offers.c.fingerprint).where(
            offers.c.caller == origin.caller,
            offers.c.relying_party_id == relying_party_id,
            offers.c.idempotency_key == origin.idempotency_key,
        )
        async with read_transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (OfferId(row.offer_id), row.fingerprint)

    async def get(self, offer_id: OfferId) -> Offer:
        """Return an offer, whatever its state.

        Raises:
            NotFoundError: there is none of this id.
        """
        async with read_transaction(self._engine) as connection:
            return await self.get_in(connection, offer_id)

    async def get_in(self, connection: AsyncConnection, offer_id: OfferId) -> Offer:
        """Return an offer as a transaction sees it; raises as `get`."""
        found = await connection.execute(_BY_ID, {"the_id": offer_id})
        row = found.mappings().one_or_none()
        if row is None:
            raise NotFoundError("no such offer")
        files: tuple[OfferFile, ...] = ()
        if row["kind"] == RequestKind.HASHED_FILES_SIGNING:
            listed = await connection.execute(_FILES, {"the_id": offer_id})
            files = tuple(OfferFile(*one) for one in listed)
        return _offer(row, files)

    async def document_of(self, request_id: RequestId, position: int) -> bytes:
        """Return a document that the partner sent for reading, by the request that came of it.

        Raises:
            NotFoundError: it sent none for this file.
        """
        query: Select[Any] = (
            select(offer_files.c.document)
            .join(requests, requests.c.offer_id == offer_files.c.offer_id)
            .where(requests.c.request_id == request_id, offer_files.c.position == position)
        )
        async with read_transaction(self._engine) as connection:
            document: bytes | None = await connection.scalar(query)
        if document is None:
            raise NotFoundError("there is no document of this file to read, only its hash")
        return document

    async def claim(
        self,
        offer_id: OfferId,
        request: Request,
        files: Sequence[PreparedFile],
        now_s: int,
        record: Callable[[AsyncConnection], Awaitable[None]],
    ) -> bool:
        """Make an open offer this request, once; return False if it is not open any more.

        `record` writes down that it was claimed, in the same transaction.
        """
        taken = (
            update(offers)
            .where(offers.c.offer_id == offer_id, offers.c.stored == Stored.OPEN)
            .where(offers.c.expires_at_s > now_s)
            .values(
                stored=Stored.CLAIMED,
                request_id=request.request_id,
                key_id=request.content.key_id,
            )
        )
        # The caller is the offer itself, so that no idempotency key of anybody's is taken.
        caller, key = f"offer:{offer_id.hex()}", request.request_id.hex()
        origin = Origin(caller, key, request.request_hash)
        async with write_transaction(self._engine) as connection:
            if not (await connection.execute(taken)).rowcount:
                return False
            await connection.execute(insert(requests).values(request_row(request, origin)))
            await insert_files(connection, request.request_id, files)
            await record(connection)
        return True

    async def withdraw(self, offer_id: OfferId) -> bool:
        """Withdraw an offer that nobody has claimed; return False if somebody has."""
        statement = (
            update(offers)
            .where(offers.c.offer_id == offer_id, offers.c.stored == Stored.OPEN)
            .values(stored=Stored.WITHDRAWN)
        )
        async with write_transaction(self._engine) as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def collect(
        self,
        offer_id: OfferId,
        collector: bytes,
        record: Callable[[AsyncConnection], Awaitable[None]],
    ) -> bool:
        """Note who collects an approved offer; return False if somebody has, or it is not.

        `record` writes down that it was collected, in the same transaction.
        """
        approved = exists().where(
            requests.c.request_id == offers.c.request_id,
            requests.c.status == RequestStatus.CONSUMED,
        )
        statement = (
            update(offers)
            .where(offers.c.offer_id == offer_id, offers.c.stored == Stored.CLAIMED, approved)
            .values(stored=Stored.COLLECTED, collector=collector)
        )
        async with write_transaction(self._engine) as connection:
            collected = bool((await connection.execute(statement)).rowcount)
            if collected:
                await record(connection)
        return collected


async def store_token(connection: AsyncConnection, offer_id: OfferId, token: bytes) -> None:
    """Keep the token (32 bytes) of a confirmed "antibot" in the transaction that confirms it."""
    statement = update(offers).where(offers.c.offer_id == offer_id).values(antibot_token=token)
    await connection.execute(statement)


def _offer(row: RowMapping, files: tuple[OfferFile, ...]) -> Offer:
    return Offer(
        offer_id=OfferId(row["offer_id"]),
        content=OfferContent(
            relying_party_id=row["relying_party_id"],
            relying_party=row["relying_party"],
            kind=RequestKind(row["kind"]),
            purpose=row["purpose"],
            return_address=row["return_address"],
            challenge=row["challenge"],
            statement=row["statement"],
            initiator=row["initiator"],
            same_device=row["same_device"],
            person_code=row["person_code"],
            files=files,
        ),
        link_secret=row["link_secret"],
        stored=Stored(row["stored"]),
        created_at_s=row["created_at_s"],
        expires_at_s=row["expires_at_s"],
        claimed=_claimed(row),
        collector=row["collector"] or b"",
        antibot_token=row["antibot_token"] or b"",
    )


def _claimed(row: RowMapping) -> Claimed | None:
    if row["request_status"] is None:
        return None
    return Claimed(
        request_id=RequestId(row["request_id"]),
        key_id=KeyId(row["key_id"]),
        status=RequestStatus(row["request_status"]),
        request_hash=row["request_hash"],
        decline_reason=row["decline_reason"],
        ended_at_s=row["ended_at_s"],
    )


def _offer_row(offer: Offer, origin: Origin) -> dict[str, object]:
    content = offer.content
    return {
        "offer_id": offer.offer_id,
        "relying_party_id": content.relying_party_id,
        "relying_party": content.relying_party,
        "kind": content.kind,
        "purpose": content.purpose,
        "return_address": content.return_address,
        "challenge": content.challenge,
        "statement": content.statement,
        "initiator": content.initiator,
        "same_device": content.same_device,
        "person_code": content.person_code,
        "link_secret": offer.link_secret,
        "stored": offer.stored,
        "created_at_s": offer.created_at_s,
        "expires_at_s": offer.expires_at_s,
        "caller": origin.caller,
        "idempotency_key": origin.idempotency_key,
        "fingerprint": origin.fingerprint,
    }


def _file_row(
    offer_id: OfferId, position: int, file: OfferFile, document: bytes
) -> dict[str, object]:
    return {
        "offer_id": offer_id,
        "position": position,
        "name": file.name,
        "file_hash": file.file_hash,
        "size_bytes": file.size_bytes,
        "media_type": file.media_type,
        "document": document or None,
    }
