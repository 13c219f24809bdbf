"""A phone sees, declines and fetches its own requests, and no others."""

import asyncio
from datetime import timedelta

import pytest

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from grpc_api.gen.signer.phone.v1 import device_pb2
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from signer_core.ports import RequestState
from signer_core.storage.signer.files import Files
from tests.fakes.refusals import drain, refused
from tests.fakes.uploads import create

OTHER_PERSON = "9876543210"
USUAL_TTL = timedelta(seconds=900)

CALLS = {
    "GetRequest": lambda phone, i: phone.requests.GetRequest(
        phones.GetRequestRequest(request_id=i)
    ),
    "DeclineRequest": lambda phone, i: phone.requests.DeclineRequest(
        phones.DeclineRequestRequest(request_id=i)
    ),
    "GetDocument": lambda phone, i: drain(
        phone.requests.GetDocument(phones.GetDocumentRequest(request_id=i))
    ),
    "GetResult": lambda phone, i: phone.results.GetResult(phones.GetResultRequest(request_id=i)),
    "GetSignedDocument": lambda phone, i: drain(
        phone.results.GetSignedDocument(phones.GetSignedDocumentRequest(request_id=i))
    ),
    "CheckPhoto": lambda phone, i: phone.device.CheckPhoto(
        device_pb2.CheckPhotoRequest(request_id=i, photo=b"photo")
    ),
}


@pytest.fixture
async def phone(world):
    return await world.person()


@pytest.fixture
async def request_id(world, phone):
    return await create(await world.signing())


async def status_of(phone, request_id):
    answer = await CALLS["GetResult"](phone, request_id)
    return answer.status


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("raw", [b"", b"x" * 15, b"x" * 17])
async def test_an_id_of_another_size_is_refused(phone, call, raw):
    with refused("invalid_request", "16 bytes"):
        await call(phone, raw)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_anothers_request_is_not_found(world, request_id, call):
    world.vault.sign(request_id, await _attributes(world, request_id))
    other = await world.person(OTHER_PERSON)
    with refused("not_found"):
        await call(other, request_id)
    assert world.registrar.attested == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_unknown_request_is_not_found(phone, call):
    with refused("not_found"):
        await call(phone, b"?" * 16)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_request_the_vault_does_not_know_yet_is_not_found(world, phone, call):
    world.vault.away = True
    with refused("unavailable"):
        await create(await world.signing())
    world.vault.away = False
    (request_id,) = await world.collection.requests.unfinished()
    with refused("not_found"):
        await call(phone, request_id)
    with refused("not_found"):
        await (await world.signing()).GetRequest(internal.GetRequestRequest(request_id=request_id))


async def test_others_requests_are_not_listed(world, request_id):
    other = await world.person(OTHER_PERSON)
    answer = await other.requests.ListRequests(phones.ListRequestsRequest())
    assert list(answer.requests) == []


@pytest.mark.parametrize("index", [1, 64, 2**32 - 1])
async def test_a_file_that_is_not_there_is_not_found(phone, request_id, index):
    with refused("not_found"):
        await drain(
            phone.requests.GetDocument(
                phones.GetDocumentRequest(request_id=request_id, file_index=index)
            )
        )


async def test_an_unsigned_document_is_not_found(phone, request_id):
    with refused("not_found", "not signed yet"):
        await CALLS["GetSignedDocument"](phone, request_id)


async def test_declining_burns_at_the_vault_and_tells_the_caller_why(world, phone, request_id):
    decline = phones.DeclineRequestRequest(request_id=request_id, reason="не моє")
    await phone.requests.DeclineRequest(decline)
    assert world.vault.states[request_id] is RequestState.BURNED
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_DECLINED
    await phone.requests.DeclineRequest(decline)  # once more is harmless
    state = (
        await (await world.signing()).GetRequest(internal.GetRequestRequest(request_id=request_id))
    ).state
    assert (state.status, state.decline_reason) == (internal.STATUS_DECLINED, "не моє")


@pytest.mark.parametrize("reason", ["x" * 201, "a\N{RIGHT-TO-LEFT OVERRIDE}b", "a\nb"])
async def test_a_bad_reason_is_refused(world, phone, request_id, reason):
    with refused("invalid_request", "the reason"):
        await phone.requests.DeclineRequest(
            phones.DeclineRequestRequest(request_id=request_id, reason=reason)
        )
    assert world.vault.states[request_id] is RequestState.OPEN


async def test_a_request_being_signed_cannot_be_declined_and_stays_open(world, phone, request_id):
    world.vault.states[request_id] = RequestState.RESERVED
    with refused("invalid_request", "being signed"):
        await CALLS["DeclineRequest"](phone, request_id)
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_OPEN
    world.vault.states[request_id] = RequestState.BURNED  # by its own session, not by the person
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_BURNED


async def test_without_the_vault_nothing_is_declined(world, phone, request_id):
    world.vault.away = True
    with refused("unavailable"):
        await CALLS["DeclineRequest"](phone, request_id)
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_OPEN


async def test_a_decline_that_lost_its_answer_is_a_decline(world, phone, request_id):
    world.vault.away = True
    with refused("unavailable"):
        await CALLS["DeclineRequest"](phone, request_id)
    world.vault.away = False
    world.vault.states[request_id] = RequestState.BURNED
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_DECLINED


async def test_an_expired_request_is_not_listed_nor_declined(world, phone, request_id):
    world.clock.now += USUAL_TTL
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_EXPIRED
    assert not (await phone.requests.ListRequests(phones.ListRequestsRequest())).requests
    with refused("invalid_request", "expired"):
        await CALLS["DeclineRequest"](phone, request_id)


async def test_a_signature_of_the_last_second_counts(world, phone, request_id):
    attributes = await _attributes(world, request_id)
    world.clock.now += USUAL_TTL
    world.vault.sign(request_id, attributes)
    assert await status_of(phone, request_id) == phones.REQUEST_STATUS_CONSUMED


async def test_a_watching_phone_hears_of_each_request_once(world, phone, request_id):
    watch = phone.requests.WatchRequests(phones.WatchRequestsRequest())
    async with asyncio.timeout(1.5):  # less than a poll: it was told
        assert (await watch.read()).request_id == request_id
        second = await create(await world.signing())
        assert (await watch.read()).request_id == second
    watch.cancel()


async def test_a_phone_may_not_open_watches_without_end(phone):
    watches = [phone.requests.WatchRequests(phones.WatchRequestsRequest()) for _ in range(4)]
    await asyncio.sleep(0.2)
    with refused("unavailable"):
        watch = phone.requests.WatchRequests(phones.WatchRequestsRequest())
        await asyncio.wait_for(drain(watch), 5)
    for watch in watches:
        watch.cancel()


async def test_a_phone_may_not_hold_documents_without_end(phone, request_id, monkeypatch):
    """Each one being sent is in the signer's memory."""
    reading = []

    async def read_slowly(*_args):
        reading.append(1)
        await asyncio.Event().wait()

    monkeypatch.setattr(Files, "prepared", read_slowly)
    ask = phones.GetDocumentRequest(request_id=request_id)
    unread = [asyncio.ensure_future(drain(phone.requests.GetDocument(ask))) for _ in range(4)]
    async with asyncio.timeout(5):
        while len(reading) < 4:
            await asyncio.sleep(0.02)
    with refused("unavailable", "close one"):
        await asyncio.wait_for(drain(phone.requests.GetDocument(ask)), 5)
    for stream in unread:
        stream.cancel()
    await asyncio.gather(*unread, return_exceptions=True)


async def _attributes(world, request_id):
    return [file.to_be_signed for file in (await world.collection.requests.get(request_id)).files]
