"""`kill -9` of the signer while an offer is claimed, approved and collected: one of each."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

import pytest

from grpc_api.clients.offers import CreatedOffer, NewOffer, OfferResult, OffersClient
from mobile_share.phone import Phone
from mobile_share.wire import signer_client
from portal_web.cli.connection import System as Connection
from signer_core.errors import DeniedError, SignerError, UnavailableError
from signer_core.identifiers import RequestId
from signer_core.protocol.offer_link import OfferLink, qr_code
from signer_core.protocol.request_kind import RequestKind
from tests.crash.world import CrashWorld

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

STATEMENT = "a login at the bank, v1"
COLLECTOR = b"c" * 32


@pytest.fixture
async def offers(crash_world: CrashWorld) -> AsyncIterator[OffersClient]:
    async with Connection(crash_world.system.home.root).offers() as client:
        yield client


async def make(offers: OffersClient, key: str) -> CreatedOffer:
    return await offers.create(
        NewOffer(
            relying_party_id="sandbox-bank",
            kind=RequestKind.AUTH,
            purpose="Вхід",
            idempotency_key=key,
            challenge=hashlib.sha256(STATEMENT.encode()).digest(),
            statement=STATEMENT,
        )
    )


async def claim(phone: Phone, offer: CreatedOffer) -> RequestId:
    step_s = int(time.time())
    code = qr_code(offer.link_secret, offer.offer_id, step_s)
    async with signer_client(phone) as signer:
        return await signer.claim_offer(OfferLink(offer.offer_id, step_s, code))


async def collect(offers: OffersClient, offer: CreatedOffer) -> OfferResult:
    """Collect, again while the connection is made anew, as a portal does."""
    for _ in range(240):
        try:
            return await offers.collect(offer.offer_id, COLLECTOR)
        except UnavailableError:
            await asyncio.sleep(0.25)
    raise AssertionError("the signer stays away")


@pytest.mark.parametrize(
    "point", ["signer.claim.before", "signer.claim.commit", "signer.claim.after"]
)
async def test_a_claim_becomes_one_request(crash_world, tmp_path, offers, point):
    phone = await crash_world.citizen(tmp_path)
    offer = await make(offers, point)
    crash_world.arm(point)
    with pytest.raises(SignerError):
        await claim(phone, offer)
    assert await crash_world.died_at(point)
    request_id = await claim(phone, offer)
    assert (await crash_world.sign(phone, request_id)).signatures == 1
    assert crash_world.requests_of(phone) == [request_id]
    assert (await collect(offers, offer)).signatures


@pytest.mark.parametrize("point", ["signer.take.commit", "signer.take.after"])
async def test_a_collection_is_repeated_by_the_same_collector(crash_world, tmp_path, offers, point):
    phone = await crash_world.citizen(tmp_path)
    offer = await make(offers, point)
    await crash_world.sign(phone, await claim(phone, offer))
    crash_world.arm(point)
    with pytest.raises(SignerError):
        await offers.collect(offer.offer_id, COLLECTOR)
    assert await crash_world.died_at(point)
    assert (await collect(offers, offer)).signatures
    with pytest.raises(DeniedError):
        await offers.collect(offer.offer_id, b"o" * 32)
