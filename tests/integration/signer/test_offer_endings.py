"""How an offer ends: collected once, declined, withdrawn, expired, burned; and crashes."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from grpc_api.clients.offers import OfferStatus
from grpc_api.clients.signing import SigningClient
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeyBlockedError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from signer_core.ports import RequestState
from signer_core.protocol.offer_link import return_code, return_link
from signer_core.signing.model import RequestStatus
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.offer_tables import offers as table
from signer_core.storage.signer.tables import requests as request_table
from tests.fakes.offers_made import (
    COLLECTOR,
    approved,
    auth_offer,
    claim,
    files_offer,
    now_s,
    same_device,
    sign,
)
from tests.fakes.signer_world import PUBLIC_URL

OTHER_COLLECTOR = b"o" * 32


async def state_of(offers, offer):
    return (await offers.get(offer.offer_id)).state


async def status_of(offers, offer):
    return (await state_of(offers, offer)).status


async def test_the_same_collector_gets_the_same_again(world, phone, offers):
    offer = await approved(world, phone, offers)
    first = await offers.collect(offer.offer_id, COLLECTOR)
    assert await offers.collect(offer.offer_id, COLLECTOR) == first
    assert first.approved_at_s == now_s(world)


async def test_another_collector_is_denied_and_somebody_is_told(world, phone, offers, audited):
    offer = await approved(world, phone, offers)
    await offers.collect(offer.offer_id, COLLECTOR)
    with pytest.raises(DeniedError, match="already"):
        await offers.collect(offer.offer_id, OTHER_COLLECTOR)
    ended = [row[:2] for row in await audited("offer")]
    assert ended == [("claimed", ""), ("collected", ""), ("denied", "other-collector")]


async def test_of_collectors_at_once_one_gets_it(world, phone, offers):
    offer = await approved(world, phone, offers)
    calls = [offers.collect(offer.offer_id, bytes([n]) * 32) for n in range(6)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["DeniedError"] * 5 + ["OfferResult"]


@pytest.mark.parametrize("collector", [b"", b"c" * 31, b"c" * 33])
async def test_a_collector_has_32_bytes(world, phone, offers, collector):
    offer = await approved(world, phone, offers)
    with pytest.raises(InvalidRequestError, match="32 bytes"):
        await offers.collect(offer.offer_id, collector)
    assert await status_of(offers, offer) is OfferStatus.APPROVED


async def test_nothing_is_collected_before_it_is_approved(world, phone, offers):
    offer = await offers.create(auth_offer())
    with pytest.raises(InvalidRequestError, match="it is open"):
        await offers.collect(offer.offer_id, COLLECTOR)
    await claim(world, phone, offer)
    with pytest.raises(InvalidRequestError, match="it is shown"):
        await offers.collect(offer.offer_id, COLLECTOR)


async def test_a_signature_of_a_moment_ago_is_collected_at_once(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in shown.files])
    assert (await offers.collect(offer.offer_id, COLLECTOR)).signatures


async def test_what_was_signed_in_the_last_second_counts(world, phone, offers):
    offer = await offers.create(auth_offer(ttl_s=30))
    request_id = await claim(world, phone, offer)
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in shown.files])
    world.clock.now += timedelta(seconds=31)
    assert await status_of(offers, offer) is OfferStatus.APPROVED


# --- the same device ---


@pytest.fixture
async def begun_here(world, phone, offers):
    """An offer of the phone's own browser, approved; and the request that came of it."""
    offer = await offers.create(auth_offer(same_device=True))
    request_id = await phone.client.claim_offer(same_device(offer))
    await sign(world, phone, request_id)
    return offer, request_id


async def test_the_phone_leads_its_own_browser_back(begun_here, phone, offers):
    offer, request_id = begun_here
    back = await phone.client.get_return_url(request_id)
    assert back == return_link(PUBLIC_URL, offer.offer_id, offer.link_secret)
    code = return_code(offer.link_secret, offer.offer_id)
    assert (await offers.collect(offer.offer_id, COLLECTOR, code)).signatures


@pytest.mark.parametrize("code", [b"", b"x" * 16, b"x" * 15, COLLECTOR])
async def test_a_browser_that_the_phone_did_not_lead_back_gets_nothing(
    begun_here, offers, audited, code
):
    offer, _ = begun_here
    with pytest.raises(DeniedError, match="not the one"):
        await offers.collect(offer.offer_id, COLLECTOR, code)
    assert (await audited("offer"))[-1][:2] == ("denied", "no-return-code")
    assert await status_of(offers, offer) is OfferStatus.APPROVED


async def test_the_way_back_is_not_told_before_the_approval(world, phone, offers):
    offer = await offers.create(auth_offer(same_device=True))
    request_id = await phone.client.claim_offer(same_device(offer))
    with pytest.raises(NotFoundError, match="no way back yet"):
        await phone.client.get_return_url(request_id)


async def test_the_way_back_is_told_to_the_approving_phone_only(world, begun_here):
    _, request_id = begun_here
    other = await world.person("9876543210")
    with pytest.raises(NotFoundError):
        await other.client.get_return_url(request_id)


async def test_a_scanned_code_leads_no_browser_back(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    await sign(world, phone, request_id)
    assert await phone.client.get_return_url(request_id) == ""


# --- the other ends ---


async def test_a_declined_offer_tells_why(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    await phone.client.decline_request(request_id, "не я починав")
    state = await state_of(offers, offer)
    assert (state.status, state.decline_reason) == (OfferStatus.DECLINED, "не я починав")
    assert world.vault.states[request_id] is RequestState.BURNED
    with pytest.raises(InvalidRequestError, match="declined"):
        await offers.collect(offer.offer_id, COLLECTOR)


async def test_an_open_offer_is_withdrawn_and_not_claimed(world, phone, offers):
    offer = await offers.create(auth_offer())
    await offers.withdraw(offer.offer_id)
    await offers.withdraw(offer.offer_id)
    with pytest.raises(NotFoundError, match="withdrawn"):
        await claim(world, phone, offer)
    assert await status_of(offers, offer) is OfferStatus.WITHDRAWN


async def test_a_shown_offer_is_withdrawn_at_the_vault(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    await offers.withdraw(offer.offer_id)
    await offers.withdraw(offer.offer_id)
    assert world.vault.states[request_id] is RequestState.BURNED
    assert await status_of(offers, offer) is OfferStatus.WITHDRAWN
    assert (await phone.client.get_request(request_id)).status == "withdrawn"


async def test_what_is_signed_is_not_withdrawn(world, phone, offers):
    offer = await approved(world, phone, offers)
    with pytest.raises(InvalidRequestError, match="approved"):
        await offers.withdraw(offer.offer_id)
    assert await status_of(offers, offer) is OfferStatus.APPROVED


async def test_a_shown_offer_expires_with_its_request(world, phone, offers):
    offer = await offers.create(auth_offer(ttl_s=30))
    request_id = await claim(world, phone, offer)
    world.clock.now += timedelta(seconds=30)
    assert await status_of(offers, offer) is OfferStatus.EXPIRED
    assert (await phone.client.get_request(request_id)).status == "expired"
    with pytest.raises(InvalidRequestError, match="expired"):
        await offers.collect(offer.offer_id, COLLECTOR)


async def test_a_session_that_ended_badly_burns_the_offer(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    world.vault.states[request_id] = RequestState.BURNED
    assert await status_of(offers, offer) is OfferStatus.BURNED


async def test_a_watching_browser_is_told_at_once(world, phone, offers):
    offer = await offers.create(auth_offer())
    states = offers.watch(offer.offer_id)
    assert (await anext(states)).status is OfferStatus.OPEN
    async with asyncio.timeout(3):  # less than a poll: it was told
        request_id = await claim(world, phone, offer)
        shown = await anext(states)
        assert (shown.status, len(shown.verification_number)) == (OfferStatus.SHOWN, 4)
        await sign(world, phone, request_id)
        assert (await anext(states)).status is OfferStatus.APPROVED
        with pytest.raises(StopAsyncIteration):
            await anext(states)


async def test_a_watching_browser_is_told_when_the_time_is_over(world, phone, offers):
    offer = await offers.create(auth_offer(ttl_s=30))
    await claim(world, phone, offer)
    world.clock.now += timedelta(seconds=29.5)
    states = offers.watch(offer.offer_id)
    assert (await anext(states)).status is OfferStatus.SHOWN
    world.clock.now += timedelta(seconds=1)
    async with asyncio.timeout(3):  # less than a poll
        assert (await anext(states)).status is OfferStatus.EXPIRED


async def test_what_was_signed_in_the_last_second_is_not_told_as_expired(world, phone, offers):
    offer = await offers.create(auth_offer(ttl_s=30))
    request_id = await claim(world, phone, offer)
    world.clock.now += timedelta(seconds=29.5)
    states = offers.watch(offer.offer_id)
    await anext(states)
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in shown.files])
    world.clock.now += timedelta(seconds=1)
    assert (await anext(states)).status is OfferStatus.APPROVED


async def test_what_came_of_an_offer_is_collected_there_only(world, phone, offers):
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    await sign(world, phone, request_id)
    signing = SigningClient(await world.internal())
    for call in (signing.get, signing.withdraw, lambda i: signing.signed_document(i, 0)):
        with pytest.raises(NotFoundError):
            await call(request_id)


async def test_the_phone_is_told_of_what_it_claimed(world, phone, offers):
    offer = await offers.create(auth_offer())
    watch = phone.client.watch_requests()
    async with asyncio.timeout(3):
        told = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0.2)
        assert await claim(world, phone, offer) == await told


# --- what a crash or an absent vault leaves half-way ---


async def test_an_absent_vault_is_asked_again_by_the_same_phone(world, phone, offers):
    offer = await offers.create(auth_offer())
    world.vault.away = True
    with pytest.raises(UnavailableError):
        await claim(world, phone, offer)
    assert await status_of(offers, offer) is OfferStatus.OPEN  # nobody sees it yet
    world.vault.away = False
    world.clock.now += timedelta(seconds=60)
    request_id = await claim_again(phone, offer)
    assert (await phone.client.get_request(request_id)).status == "open"
    assert await status_of(offers, offer) is OfferStatus.SHOWN


async def claim_again(phone, offer):
    return await phone.client.claim_offer(same_device(offer))


async def test_the_next_start_brings_a_claimed_offer_to_the_vault(world, phone, offers):
    offer = await offers.create(auth_offer())
    world.vault.away = True
    with pytest.raises(UnavailableError):
        await claim(world, phone, offer)
    with pytest.raises(UnavailableError, match="opening this offer"):
        await offers.withdraw(offer.offer_id)
    world.vault.away = False
    await world.parts.recovery(world.collection).run()
    assert await status_of(offers, offer) is OfferStatus.SHOWN
    assert len(world.vault.registered) == 1


async def test_a_phone_that_the_vault_refuses_leaves_the_offer_to_others(world, phone, offers):
    offer = await offers.create(auth_offer())
    world.vault.refusal = KeyBlockedError("too many wrong PINs")
    with pytest.raises(DeniedError, match="too many wrong PINs"):
        await claim(world, phone, offer)
    assert await status_of(offers, offer) is OfferStatus.OPEN
    world.vault.refusal = None
    assert await claim(world, await world.person("9876543210"), offer)


async def test_an_approval_and_its_hooks_are_one_transaction(world, phone, offers):
    told = []

    async def fails_once(connection, offer):
        told.append(offer.status_at(now_s(world)))
        if len(told) == 1:
            raise UnavailableError("a job that could not be written")
        await connection.execute(select(table.c.offer_id))

    world.parts.approved.append(fails_once)
    offer = await offers.create(auth_offer())
    request_id = await claim(world, phone, offer)
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in shown.files])
    with pytest.raises(UnavailableError):
        await world.collection.collect(request_id)
    assert await stored_status(world, request_id) is RequestStatus.OPEN  # both are undone
    await world.collection.collect(request_id)
    assert await stored_status(world, request_id) is RequestStatus.CONSUMED
    assert told == [OfferStatus.APPROVED] * 2


async def stored_status(world, request_id):
    query = select(request_table.c.status).where(request_table.c.request_id == request_id)
    async with read_transaction(world.parts.engine) as connection:
        return RequestStatus(await connection.scalar(query))


async def test_a_vault_that_signed_something_else_is_not_believed(world, phone, offers):
    first, second = await offers.create(auth_offer()), await offers.create(files_offer())
    request_id, other_id = await claim(world, phone, first), await claim(world, phone, second)
    other = await phone.client.get_request(other_id)
    world.vault.sign(request_id, [file.to_be_signed for file in other.files])
    with pytest.raises(VerificationError, match="something else"):
        await world.collection.collect(request_id)
    assert await status_of(offers, first) is OfferStatus.SHOWN
