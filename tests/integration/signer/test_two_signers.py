"""An offer over two signers on one PostgreSQL: what happens at one is told by the other."""

import asyncio

import pytest

from grpc_api.clients.offers import OfferStatus
from grpc_api.servers import internal_offers
from signer_core.storage.signer.announcements import Announcements
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes.offers_made import auth_offer, claim, sign
from tests.fakes.signer_world import open_world
from tests.fixtures.postgres import BACKENDS

pytestmark = pytest.mark.skipif("postgresql" not in BACKENDS, reason="there is no PostgreSQL")


@pytest.fixture
async def both(postgres_server, tmp_path, logs, monkeypatch):
    """Two signers that listen to each other, and look into the database only when told."""
    monkeypatch.setattr(internal_offers, "POLL_S", 60)
    name = await postgres_server.take(MIGRATIONS)
    url = postgres_server.at(name)
    for one in "ab":
        (tmp_path / one).mkdir()
    async with open_world(tmp_path / "a", url) as first, open_world(tmp_path / "b", url) as second:
        tasks = [
            asyncio.create_task(Announcements(one.parts.engine, one.parts.notices).run())
            for one in (first, second)
        ]
        await asyncio.sleep(0.5)
        yield first, second
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await postgres_server.give_back(MIGRATIONS, name)


async def test_a_browser_at_one_signer_moves_when_a_phone_approves_at_the_other(both):
    phones, portal = both  # the one that started last wrote the records of partners
    offers, phone = await portal.offers(), await phones.person()
    offer = await offers.create(auth_offer())
    states = offers.watch(offer.offer_id)
    assert (await anext(states)).status is OfferStatus.OPEN
    async with asyncio.timeout(10):
        request_id = await claim(phones, phone, offer)
        assert (await anext(states)).status is OfferStatus.SHOWN
        await sign(phones, phone, request_id)
        assert (await anext(states)).status is OfferStatus.APPROVED
