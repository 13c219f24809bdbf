"""Offers through the signer's listeners: made, claimed, approved, collected once."""

import pytest

from grpc_api.clients.offers import OfferStatus
from signer_core.errors import DeniedError, InvalidRequestError
from tests.fakes.offers_made import (
    CHALLENGE,
    STATEMENT,
    assert_openssl_accepts,
    auth_offer,
    qr,
    sign,
)

COLLECTOR = b"c" * 32


@pytest.fixture
async def phone(world):
    return await world.person()


@pytest.fixture
async def offers(world):
    return await world.offers()


def now_s(world):
    return int(world.clock().timestamp())


async def claim(world, phone, offer):
    return await phone.client.claim_offer(qr(offer, now_s(world)))


async def approved(world, phone, offers, **changes):
    offer = await offers.create(auth_offer(**changes))
    request_id = await claim(world, phone, offer)
    await sign(world, phone, request_id)
    return offer


@pytest.mark.causes("offer")
async def test_a_login_from_the_link_to_the_signature(world, phone, offers, tmp_path):
    offer = await offers.create(auth_offer())
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.OPEN
    request_id = await claim(world, phone, offer)
    shown = await phone.client.get_request(request_id)
    assert (shown.challenge, shown.statement) == (CHALLENGE, STATEMENT)
    assert (shown.offer_id, shown.initiator) == (offer.offer_id, "Firefox, Київ")
    state = (await offers.get(offer.offer_id)).state
    assert (state.status, len(state.verification_number)) == (OfferStatus.SHOWN, 4)
    await sign(world, phone, request_id)
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.APPROVED
    result = await offers.collect(offer.offer_id, COLLECTOR)
    (signed,) = result.signatures
    assert (signed.name, signed.file_hash) == ("", CHALLENGE)
    assert_openssl_accepts(signed.signature, STATEMENT.encode(), result, tmp_path)
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.CONSUMED


async def test_the_same_wish_gives_the_same_offer(offers):
    wish = auth_offer()
    first = await offers.create(wish)
    assert await offers.create(wish) == first
    with pytest.raises(InvalidRequestError, match="another offer"):
        await offers.create(auth_offer(idempotency_key=wish.idempotency_key, purpose="other"))


@pytest.mark.parametrize("age_s", [0, 1, 2, -1])
async def test_a_code_of_now_is_good(world, phone, offers, age_s):
    offer = await offers.create(auth_offer())
    assert await phone.client.claim_offer(qr(offer, now_s(world) - age_s))


@pytest.mark.parametrize(
    ("age_s", "says"), [(3, "too old"), (60, "too old"), (-2, "not good yet"), (-60, "not good")]
)
async def test_a_photographed_or_future_code_is_refused(world, phone, offers, age_s, says):
    offer = await offers.create(auth_offer())
    with pytest.raises(DeniedError, match=says):
        await phone.client.claim_offer(qr(offer, now_s(world) - age_s))
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.OPEN
