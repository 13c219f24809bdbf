"""A sign of being human: device key and photo, no PIN, no vault; one token, once."""

import dataclasses
import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from grpc_api.clients.offers import OfferStatus
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    VerificationError,
)
from signer_core.identity.attestation import sign_attestation
from signer_core.pki.device import device_key_hash
from signer_core.protocol.request import request_hash
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.offers_made import COLLECTOR, auth_offer, claim
from tests.fakes.pki import new_key

CHALLENGE = hashlib.sha256(b"poll 7").digest()


def antibot_offer():
    return auth_offer(kind=RequestKind.ANTIBOT, challenge=CHALLENGE, statement="")


@pytest.fixture
async def offer(offers):
    return await offers.create(antibot_offer())


@pytest.fixture
async def request_id(world, phone, offer):
    return await claim(world, phone, offer)


def signature(key, shown, label=b"diia-signer/antibot/v1", **changes):
    shown = dataclasses.replace(shown, **changes)
    asked = (shown.kind, shown.relying_party, shown.purpose, (), shown.return_address)
    message = label + b"\0" + request_hash(*asked, shown.challenge)
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


async def confirm(phone, request_id, **changes):
    shown = await phone.client.get_request(request_id)
    attestation = await phone.client.check_photo(request_id, b"photo")
    fields = {"attestation": attestation, "device_signature": signature(phone.key, shown)}
    await phone.client.confirm_presence(request_id, **(fields | changes))


async def test_a_confirmed_human_is_a_token_and_nothing_else(
    world, phone, offers, offer, request_id, audited
):
    assert world.vault.registered == {}
    await confirm(phone, request_id)
    await confirm(phone, request_id)
    result = await offers.collect(offer.offer_id, COLLECTOR)
    assert (result.signatures, result.certificate, result.chain) == ((), b"", ())
    assert len(result.antibot_token) == 32
    assert await offers.collect(offer.offer_id, COLLECTOR) == result
    assert [row[0] for row in await audited("offer")] == ["claimed", "confirmed", "collected"]
    assert world.vault.registered == {}


async def test_no_two_tokens_of_a_person_are_alike(world, phone, offers):
    tokens = set()
    for _ in range(3):
        offer = await offers.create(antibot_offer())
        await confirm(phone, await claim(world, phone, offer))
        tokens.add((await offers.collect(offer.offer_id, COLLECTOR)).antibot_token)
    assert len(tokens) == 3


async def test_a_token_is_there_once_it_is_confirmed_and_not_before(
    phone, offers, offer, request_id
):
    with pytest.raises(InvalidRequestError, match="it is shown"):
        await offers.collect(offer.offer_id, COLLECTOR)


async def test_the_signature_is_of_this_phone(phone, request_id):
    shown = await phone.client.get_request(request_id)
    with pytest.raises(VerificationError):
        await confirm(phone, request_id, device_signature=signature(new_key(), shown))


@pytest.mark.parametrize(
    "changes", [{"challenge": bytes(32)}, {"purpose": "other"}, {"label": b"diia-signer/other"}]
)
async def test_the_signature_is_of_this_request(phone, request_id, changes):
    shown = await phone.client.get_request(request_id)
    with pytest.raises(VerificationError):
        await confirm(phone, request_id, device_signature=signature(phone.key, shown, **changes))


@pytest.mark.parametrize("raw", [b"", b"x" * 63, bytes(64), b"\xff" * 64])
async def test_a_signature_that_is_none_is_refused(phone, request_id, raw):
    with pytest.raises((InvalidRequestError, VerificationError)):
        await confirm(phone, request_id, device_signature=raw)


async def test_the_photo_is_attested_by_the_registrar(world, phone, request_id):
    with pytest.raises(DeniedError, match="not the registrar's"):
        await confirm(phone, request_id, attestation="attestation")
    forged = sign_attestation(_hash(phone), request_id, world.clock(), new_key())
    with pytest.raises(DeniedError, match="not the registrar's"):
        await confirm(phone, request_id, attestation=forged)


async def test_the_photo_is_of_this_phone_request_and_minute(world, phone, request_id):
    key = world.registrar.key
    others = [
        sign_attestation(_hash(phone), b"x" * 16, world.clock(), key),
        sign_attestation(b"x" * 32, request_id, world.clock(), key),
        sign_attestation(_hash(phone), request_id, world.clock() - timedelta(seconds=301), key),
    ]
    for one in others:
        with pytest.raises(DeniedError):
            await confirm(phone, request_id, attestation=one)


def _hash(phone):
    return device_key_hash(phone.key.public_key())


async def test_another_phone_confirms_nothing(world, request_id):
    other = await world.person("9876543210")
    with pytest.raises(NotFoundError):
        await other.client.confirm_presence(request_id, "attestation", bytes(64))


async def test_a_login_is_not_confirmed_without_the_pin(world, phone, offers):
    login = await offers.create(auth_offer())
    with pytest.raises(InvalidRequestError, match="with the PIN"):
        await confirm(phone, await claim(world, phone, login))
    assert (await offers.get(login.offer_id)).state.status is OfferStatus.SHOWN


async def test_what_is_over_is_not_confirmed(world, phone, offers, offer, request_id):
    world.clock.now += timedelta(seconds=180)
    with pytest.raises(NotFoundError, match="expired"):
        await confirm(phone, request_id)
    assert (await offers.get(offer.offer_id)).state.status is OfferStatus.EXPIRED


async def test_it_is_declined_without_the_vault(world, phone, offers, offer, request_id):
    await phone.client.decline_request(request_id, "не зараз")
    with pytest.raises(NotFoundError, match="declined"):
        await confirm(phone, request_id)
    state = (await offers.get(offer.offer_id)).state
    assert (state.status, state.decline_reason) == (OfferStatus.DECLINED, "не зараз")
    assert "burn" not in world.vault.calls


async def test_a_request_of_no_one_any_more_is_closed_by_time(
    world, phone, offers, offer, request_id
):
    world.clock.now += timedelta(seconds=600)
    await world.parts.recovery(world.collection).run()
    assert (await world.collection.requests.get(request_id)).status == "expired"
    assert "result" not in world.vault.calls
