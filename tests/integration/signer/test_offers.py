"""Offers through the signer's listeners: made, claimed by one phone through a good link."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from grpc_api.clients.offers import OfferStatus
from grpc_api.servers.phone_limits import CLAIMS_A_MINUTE
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import OfferLink
from signer_core.storage.signer.offers import Offers
from tests.fakes.offers_made import (
    CHALLENGE,
    COLLECTOR,
    STATEMENT,
    approved,
    assert_openssl_accepts,
    auth_offer,
    claim,
    now_s,
    qr,
    sign,
)
from tests.fakes.offers_made import same_device as same_device_link
from tests.fakes.requests import PERSON_CODE, make_request
from tests.fakes.signer_world import ADDRESS


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


async def test_a_code_of_another_offer_is_refused(world, phone, offers, audited):
    first, second = await offers.create(auth_offer()), await offers.create(auth_offer())
    stolen = dataclasses.replace(qr(first, now_s(world)), offer_id=second.offer_id)
    with pytest.raises(DeniedError, match="not one of ours"):
        await phone.client.claim_offer(stolen)
    assert await audited("offer") == [("refused", "wrong-code", second.offer_id.hex())]


async def test_a_code_of_another_second_is_refused(world, phone, offers):
    offer = await offers.create(auth_offer())
    fresh = dataclasses.replace(qr(offer, now_s(world) - 60), step_s=now_s(world))
    with pytest.raises(DeniedError, match="not one of ours"):
        await phone.client.claim_offer(fresh)


async def test_a_relayed_code_leaves_a_trace_with_its_source(world, phone, offers, audited):
    offer = await offers.create(auth_offer())
    with pytest.raises(DeniedError):
        await phone.client.claim_offer(qr(offer, now_s(world) - 3))
    assert await audited("offer") == [("refused", "old-code", offer.offer_id.hex())]
    assert await audited("offer", "source") == [("127.0.0.1",)]
    assert await audited("offer", "key_id") == [(phone.key_id,)]


@pytest.mark.parametrize("same_device", [False, True])
async def test_a_link_of_the_other_way_is_refused(world, phone, offers, same_device):
    """A QR code of what was begun on a phone would take the browser's place; so would the other."""
    offer = await offers.create(auth_offer(same_device=same_device))
    link = qr(offer, now_s(world)) if same_device else same_device_link(offer)
    with pytest.raises(DeniedError, match="another way"):
        await phone.client.claim_offer(link)


async def test_of_phones_that_race_one_gets_it(world, offers):
    phones = [await world.person(f"12345678{n:02}") for n in range(5)]
    offer = await offers.create(auth_offer())
    link = qr(offer, now_s(world))
    claims = [one.client.claim_offer(link) for one in phones]
    ended = await asyncio.gather(*claims, return_exceptions=True)
    won = [one for one in ended if not isinstance(one, Exception)]
    assert len(won) == 1
    lost = [one for one in ended if isinstance(one, Exception)]
    assert {type(one) for one in lost} == {NotFoundError}
    assert len(world.vault.registered) == 1


async def test_the_same_phone_may_claim_again_with_a_code_that_is_old_by_then(world, phone, offers):
    offer = await offers.create(auth_offer())
    link = qr(offer, now_s(world))
    request_id = await phone.client.claim_offer(link)
    world.clock.now += timedelta(seconds=60)
    assert await phone.client.claim_offer(link) == request_id


async def test_another_phone_is_too_late_even_with_a_good_code(world, phone, offers):
    offer = await offers.create(auth_offer())
    await claim(world, phone, offer)
    other = await world.person("9876543210")
    with pytest.raises(NotFoundError, match="another phone"):
        await claim(world, other, offer)


async def test_an_offer_for_one_person_is_no_one_elses(world, phone, offers, audited):
    offer = await offers.create(auth_offer(person_code=PERSON_CODE))
    other = await world.person("9876543210")
    with pytest.raises(DeniedError, match="another person"):
        await claim(world, other, offer)
    assert await audited("offer") == [("refused", "other-person", offer.offer_id.hex())]
    assert await claim(world, phone, offer)


async def test_a_phone_without_a_certificate_claims_nothing(world, offers):
    offer = await offers.create(auth_offer())
    with pytest.raises(NotFoundError, match="no phone that can sign"):
        await claim(world, await world.enrol(), offer)
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.OPEN


async def test_an_expired_link_is_not_claimed(world, phone, offers):
    offer = await offers.create(auth_offer(ttl_s=30))
    world.clock.now += timedelta(seconds=30)
    with pytest.raises(NotFoundError, match="expired"):
        await claim(world, phone, offer)
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.EXPIRED


async def test_the_time_is_looked_at_once_more_when_it_is_claimed(world, phone, offers):
    """Between a look at the offer and its claim its time may end: the statement decides."""
    offer = await offers.create(auth_offer())
    request = make_request(files=(), key_id=phone.key_id)
    last_s = offer.expires_at_s - 1
    claims = [(last_s + 1, False), (last_s, True), (last_s, False)]
    for at_s, is_open in claims:
        stored = Offers(world.parts.engine)
        assert await stored.claim(offer.offer_id, request, (), at_s, _no_record) is is_open


async def _no_record(_connection):
    pass


async def test_a_collected_offer_is_not_claimed_again(world, phone, offers):
    offer = await approved(world, phone, offers)
    await offers.collect(offer.offer_id, COLLECTOR)
    other = await world.person("9876543210")
    with pytest.raises(NotFoundError, match="another phone"):
        await claim(world, other, offer)


async def test_an_unknown_offer_is_not_found(world, phone, offers):
    unknown = OfferLink(OfferId(b"?" * 16), now_s(world), b"c" * 16)
    with pytest.raises(NotFoundError):
        await phone.client.claim_offer(unknown)
    with pytest.raises(NotFoundError):
        await offers.get(OfferId(b"?" * 16))


@pytest.mark.parametrize("raw", [b"", b"x" * 15, b"x" * 17])
async def test_ids_and_codes_of_another_size_are_refused(world, phone, offers, raw):
    offer = await offers.create(auth_offer())
    good = qr(offer, now_s(world))
    for link in (dataclasses.replace(good, offer_id=raw), dataclasses.replace(good, code=raw)):
        with pytest.raises(InvalidRequestError, match="16 bytes"):
            await phone.client.claim_offer(link)
    for call in (offers.get, offers.withdraw, lambda i: offers.collect(i, COLLECTOR)):
        with pytest.raises(InvalidRequestError, match="16 bytes"):
            await call(raw)


async def test_a_step_that_no_clock_has_is_refused(phone, offers):
    offer = await offers.create(auth_offer())
    with pytest.raises(InvalidRequestError):
        await phone.client.claim_offer(dataclasses.replace(qr(offer, 5), step_s=2**64 - 1))


async def test_a_phone_that_claims_without_end_is_held_back(world, phone, offers):
    offer = await offers.create(auth_offer())
    old = qr(offer, now_s(world) - 60)
    for _ in range(CLAIMS_A_MINUTE):
        with pytest.raises(DeniedError):
            await phone.client.claim_offer(old)
    with pytest.raises(UnavailableError, match="too often"):
        await claim(world, phone, offer)


async def test_a_partner_asks_only_for_what_its_record_allows(world, offers):
    party = await world.parts.relying_parties.get("bank")
    object.__setattr__(party.party, "scopes", ("documentSigning",))
    with pytest.raises(DeniedError, match="may not ask for auth"):
        await offers.create(auth_offer())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"relying_party_id": "nobody"}, NotFoundError),
        ({"return_address": "https://evil.example/"}, InvalidRequestError),
        ({"return_address": ADDRESS + "/"}, InvalidRequestError),
    ],
)
async def test_nobody_unknown_asks_and_nobody_is_sent_elsewhere(offers, changes, error):
    with pytest.raises(error):
        await offers.create(auth_offer(**changes))


async def test_the_same_wishes_at_once_give_one_offer(offers):
    wish = auth_offer()
    made = await asyncio.gather(*(offers.create(wish) for _ in range(8)))
    assert len({one.offer_id for one in made}) == 1


@pytest.mark.parametrize("relying_party_id", ["", "a\0b", "я" * 63, "x" * 5000])
async def test_a_partner_of_no_name_is_not_found(offers, relying_party_id):
    with pytest.raises(NotFoundError):
        await offers.create(auth_offer(relying_party_id=relying_party_id))
