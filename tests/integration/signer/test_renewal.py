"""The signer after a renewal: the new certificate is used, what waits is made anew under it."""

import hashlib
from datetime import timedelta

import pytest

from grpc_api.clients.phone import PhoneClient
from grpc_api.gen.signer.phone.v1 import device_pb2
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from signer_core.errors import NotFoundError
from signer_core.ports import RequestState
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash
from signer_core.signing.model import RequestStatus
from tests.fakes.citizen import Citizen
from tests.fakes.refusals import refused
from tests.fakes.uploads import create, file


@pytest.fixture
async def phone(world):
    return await world.person()


async def renew(phone):
    return await PhoneClient(phone.channel).renew_certificate(phone.csr)


async def open_ids(phone):
    answer = await phone.requests.ListRequests(phones.ListRequestsRequest())
    return [one.request_id for one in answer.requests]


async def test_a_renewal_names_the_certificate_in_force(world, phone):
    message = device_pb2.RequestKeyActionRequest(
        action=device_pb2.KEY_ACTION_RENEWAL, about_key_id=phone.key_id
    )
    request_id = (await phone.device.RequestKeyAction(message)).request_id
    in_force = hashlib.sha256(world.vault.citizens[phone.key_id].certificate).digest()
    registered = world.vault.registered[request_id]
    assert registered.request_hash == action_hash(KeyAction.RENEWAL, phone.key_id, in_force)
    assert registered.file_hashes == (about_hash(phone.key_id, in_force),)
    assert await open_ids(phone) == []


async def test_nobody_renews_another_key(world, phone):
    other = await world.person("9876543210")
    message = device_pb2.RequestKeyActionRequest(
        action=device_pb2.KEY_ACTION_RENEWAL, about_key_id=phone.key_id
    )
    with refused("denied", "itself only"):
        await other.device.RequestKeyAction(message)


async def test_without_a_confirmation_nothing_changes(world, phone):
    before = await world.collection.certificates.of_key(phone.key_id)
    with pytest.raises(NotFoundError):
        await renew(phone)
    assert await world.collection.certificates.of_key(phone.key_id) == before


async def test_what_waits_is_made_anew_and_what_was_signed_is_finished(world, phone):
    signing = await world.signing()
    signed_id = await create(signing, file("signed.pdf"))
    waiting_id = await create(signing, file("waiting.pdf"))
    stored = await world.collection.requests.get(signed_id)
    world.vault.sign(signed_id, [one.to_be_signed for one in stored.files])
    root = world.vault.citizens[phone.key_id].root
    new = Citizen.make(root, issued_at=world.clock.now)
    world.vault.renewed[phone.key_id] = new
    for _ in range(2):  # a lost answer
        answer = await renew(phone)
        assert answer.person == (new.certificate, *new.chain[1:], *new.trust_roots)
        assert len(answer.device) == 2
    of_key = await world.collection.certificates.of_key(phone.key_id)
    assert of_key.certificate == new.certificate
    assert (await world.collection.requests.get(signed_id)).status is RequestStatus.CONSUMED
    assert (await world.collection.requests.get(waiting_id)).status is RequestStatus.REPLACED
    assert world.vault.states[waiting_id] is RequestState.BURNED
    (successor,) = await open_ids(phone)
    after = await world.collection.requests.get(successor)
    world.vault.sign(successor, [one.to_be_signed for one in after.files])
    assert (await world.collection.collect(successor)).status is RequestStatus.CONSUMED


async def test_the_status_says_until_when_to_renew(world, phone):
    ask = device_pb2.GetStatusRequest()
    end = (await world.collection.certificates.of_key(phone.key_id)).not_after
    world.clock.now = end - timedelta(days=31)
    assert (await phone.device.GetStatus(ask)).renew_before_s == 0
    world.clock.now = end - timedelta(days=29)
    assert (await phone.device.GetStatus(ask)).renew_before_s == int(end.timestamp())
