"""What waits on phones, or for a phone, by who asked."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.identifiers import OfferId, RequestId
from signer_core.sharing.offers.model import Stored
from signer_core.signing.model import RequestStatus
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.offer_tables import offers
from signer_core.storage.signer.tables import requests


async def open_records(engine: AsyncEngine) -> frozenset[str]:
    """Return the relying parties' records that open requests are under."""
    query = select(requests.c.relying_party).distinct()
    async with read_transaction(engine) as connection:
        found = await connection.scalars(query.where(requests.c.status == RequestStatus.OPEN))
        return frozenset(found)


async def open_under(engine: AsyncEngine, records: Sequence[str]) -> tuple[RequestId, ...]:
    """Return the ids of open requests under one of these records."""
    query = select(requests.c.request_id).where(requests.c.status == RequestStatus.OPEN)
    async with read_transaction(engine) as connection:
        found = await connection.scalars(query.where(requests.c.relying_party.in_(records)))
        return tuple(RequestId(one) for one in found)


async def open_offers(engine: AsyncEngine, relying_party_id: str) -> tuple[OfferId, ...]:
    """Return the ids of a relying party's offers that no phone has opened."""
    query = select(offers.c.offer_id).where(offers.c.stored == Stored.OPEN)
    async with read_transaction(engine) as connection:
        found = await connection.scalars(query.where(offers.c.relying_party_id == relying_party_id))
        return tuple(OfferId(one) for one in found)
