"""The relay: bytes pass unread, both ways, within limits."""

import asyncio
import hashlib
import os

import pytest

from grpc_api.gen.signer.phone.v1 import relay_pb2 as wire
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from grpc_api.servers.phone_limits import RelayLimits
from signer_core.errors import ProtocolAbortError
from signer_core.ports import RequestState
from signer_core.signing.collect import Collection
from tests.fakes.refusals import drain, refused, rest
from tests.fakes.signer_world import open_world
from tests.fakes.uploads import create


def opening(phone, request_id=None, key_id=None):
    return wire.ConnectRequest(
        header=wire.ConnectHeader(
            key_id=phone.key_id if key_id is None else key_id,
            request_id=phone.key_id if request_id is None else request_id,
        )
    )


def records(data):
    return wire.ConnectRequest(tls_records=data)


@pytest.fixture
async def phone(world):
    return await world.enrol()


async def test_bytes_pass_unread_in_both_directions(world, phone):
    sent = [os.urandom(size) for size in (1, 1000, 65_536)]
    stream = phone.relay.Connect()
    await stream.write(opening(phone))
    for one in sent:
        await stream.write(records(one))
        assert (await stream.read()).tls_records == hashlib.sha256(one).digest()
    await stream.done_writing()
    assert await rest(stream) == []
    assert world.vault.received == sent


async def test_when_the_vault_ends_the_phone_hears_of_it(world, phone):
    world.vault.hang_up.set()
    stream = phone.relay.Connect(iter([opening(phone), records(b"x")]))
    assert len(await drain(stream)) == 1


async def test_when_the_phone_is_gone_the_vault_hears_of_it(world, phone):
    stream = phone.relay.Connect()
    await stream.write(opening(phone))
    await stream.write(records(b"x"))
    await stream.read()
    stream.cancel()
    await asyncio.wait_for(world.vault.relay_ended.wait(), 2)


async def test_an_error_of_the_vault_reaches_the_phone(world, phone):
    world.vault.relay_error = ProtocolAbortError("the vault ended it")
    with refused("protocol_abort", "the vault ended it"):
        await drain(phone.relay.Connect(iter([opening(phone), records(b"x")])))


BAD_OPENINGS = {
    "nothing": lambda phone: [],
    "records first": lambda phone: [records(b"x")],
    "an empty message": lambda phone: [wire.ConnectRequest()],
    "a short request id": lambda phone: [opening(phone, request_id=b"x" * 15)],
}


@pytest.mark.parametrize("make", BAD_OPENINGS.values(), ids=BAD_OPENINGS)
async def test_a_bad_opening_is_refused(world, phone, make):
    with refused("invalid_request"):
        await drain(phone.relay.Connect(iter(make(phone))))
    assert not world.vault.relay_ended.is_set()


BAD_MESSAGES = {
    "a second header": opening,
    "no records": lambda phone: records(b""),
    "records over 64 KiB": lambda phone: records(bytes(65_537)),
}


@pytest.mark.parametrize("make", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
async def test_a_bad_message_ends_the_stream_and_does_not_reach_the_vault(world, phone, make):
    with refused("invalid_request"):
        await drain(phone.relay.Connect(iter([opening(phone), records(b"x"), make(phone)])))
    await asyncio.wait_for(world.vault.relay_ended.wait(), 2)
    assert world.vault.received == [b"x"]


async def test_bytes_that_are_no_message_end_the_stream(world, phone):
    connect = phone.channel.stream_stream("/signer.phone.v1.RelayService/Connect")
    sent = [opening(phone).SerializeToString(), records(b"x").SerializeToString(), b"\xff"]
    with refused("invalid_request"):
        await drain(connect(iter(sent)))
    await asyncio.wait_for(world.vault.relay_ended.wait(), 2)
    assert world.vault.received == [b"x"]


async def test_another_key_is_not_found(world, phone):
    other = await world.enrol()
    with refused("not_found"):
        await drain(phone.relay.Connect(iter([opening(phone, key_id=other.key_id)])))


async def test_anothers_request_is_not_found(world, phone):
    await world.person()
    request_id = await create(await world.signing())
    with refused("not_found"):
        await drain(phone.relay.Connect(iter([opening(phone, request_id=request_id)])))


async def test_a_fifth_stream_at_once_is_refused_and_a_place_is_freed(phone):
    streams = [phone.relay.Connect() for _ in range(4)]
    for stream in streams:
        await stream.write(opening(phone))
        await stream.write(records(b"x"))
        await stream.read()
    with refused("unavailable", "close one"):
        await drain(phone.relay.Connect(iter([opening(phone)])))
    await streams[0].done_writing()
    await rest(streams[0])
    again = phone.relay.Connect(iter([opening(phone), records(b"x")]))
    assert len(await drain(again)) == 1
    for stream in streams:
        stream.cancel()


async def test_limits_are_per_device(world, phone):
    streams = [phone.relay.Connect() for _ in range(4)]
    for stream in streams:
        await stream.write(opening(phone))
        await stream.write(records(b"x"))
        await stream.read()
    other = await world.enrol()
    assert len(await drain(other.relay.Connect(iter([opening(other), records(b"x")])))) == 1
    for stream in streams:
        stream.cancel()


async def test_the_sixty_first_stream_of_a_minute_of_one_device_is_refused(world, phone):
    for _ in range(60):
        await drain(phone.relay.Connect(iter([opening(phone)])))
    with refused("unavailable", "wait a minute"):
        await drain(phone.relay.Connect(iter([opening(phone)])))
    other = await world.enrol()
    await drain(other.relay.Connect(iter([opening(other)])))


class TestIdle:
    @pytest.fixture
    async def world(self, tmp_path, database_url):
        async with open_world(tmp_path, database_url, RelayLimits(idle_s=0.3)) as world:
            yield world

    async def test_a_silent_stream_is_closed_on_both_sides(self, world, phone):
        stream = phone.relay.Connect()
        await stream.write(opening(phone))
        await stream.write(records(b"x"))
        await stream.read()
        with refused("protocol_abort", "no message for too long"):
            await asyncio.wait_for(rest(stream), 5)
        await asyncio.wait_for(world.vault.relay_ended.wait(), 2)

    async def test_a_stream_without_a_header_is_closed(self, phone):
        with refused("protocol_abort", "no message for too long"):
            await asyncio.wait_for(rest(phone.relay.Connect()), 5)

    async def test_messages_keep_a_stream_open(self, phone):
        stream = phone.relay.Connect()
        await stream.write(opening(phone))
        for _ in range(4):
            await asyncio.sleep(0.15)
            await stream.write(records(b"x"))
            await stream.read()
        await stream.done_writing()
        assert await rest(stream) == []


async def test_a_slow_phone_slows_the_vault(world, phone):
    """Back-pressure: what a phone does not read is not collected in the signer."""
    world.vault.flood = True
    stream = phone.relay.Connect(iter([opening(phone), records(b"x")]))
    await stream.read()
    await asyncio.sleep(0.5)
    before = world.vault.flooded
    await asyncio.sleep(0.5)
    assert before == world.vault.flooded < 200  # 64 KiB each; buffers of gRPC and TCP are smaller
    stream.cancel()


async def test_a_result_is_collected_when_the_stream_ends(world):
    phone = await world.person()
    request_id = await create(await world.signing())
    request = await world.collection.requests.get(request_id)
    stream = phone.relay.Connect()
    await stream.write(opening(phone, request_id=request_id))
    await stream.write(records(b"x"))
    await stream.read()
    world.vault.sign(request_id, [file.to_be_signed for file in request.files])
    await stream.done_writing()
    await rest(stream)
    async with asyncio.timeout(5):
        while (await world.collection.requests.get(request_id)).status != "consumed":
            await asyncio.sleep(0.02)


async def run_stream(phone, request_id):
    header = opening(phone, request_id=request_id)
    await drain(phone.relay.Connect(iter([header, records(b"x")])))


async def signed_at_the_vault(world, request_id):
    """What the vault signed; it is not asked any more."""
    request = await world.collection.requests.get(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in request.files])
    world.vault.calls.clear()
    return tuple(world.vault.items[request_id])


async def until_consumed(world, request_id):
    async with asyncio.timeout(5):
        while (await world.collection.requests.get(request_id)).status != "consumed":
            await asyncio.sleep(0.02)


async def test_what_the_vault_says_beside_the_stream_is_not_asked_again(world):
    phone = await world.person()
    request_id = await create(await world.signing())
    world.vault.telling = {request_id: await signed_at_the_vault(world, request_id)}
    await run_stream(phone, request_id)
    await until_consumed(world, request_id)
    assert "result" not in world.vault.calls


async def test_what_was_signed_in_another_request_s_stream_is_not_taken_for_it(world, monkeypatch):
    """A phone opens a stream about one request and signs another one in it."""
    phone = await world.person()
    signing = await world.signing()
    opened, signed = await create(signing), await create(signing, idempotency_key="2")
    world.vault.telling = {signed: await signed_at_the_vault(world, signed)}
    ended, follow = {}, Collection.follow

    async def note_and_follow(collection, request_id, items):
        ended[request_id] = items
        await follow(collection, request_id, items)

    monkeypatch.setattr(Collection, "follow", note_and_follow)
    await run_stream(phone, opened)
    await until_consumed(world, signed)
    assert ended == {opened: None, signed: world.vault.telling[signed]}
    assert (await world.collection.requests.get(opened)).status == "open"


async def test_what_the_vault_says_is_checked_and_then_asked(world):
    phone = await world.person()
    signing = await world.signing()
    request_id, other = await create(signing), await create(signing, idempotency_key="2")
    await signed_at_the_vault(world, request_id)
    world.vault.telling = {request_id: await signed_at_the_vault(world, other)}
    await run_stream(phone, request_id)
    await until_consumed(world, request_id)
    assert "result" in world.vault.calls


async def test_a_judgement_that_outlives_its_stream_is_waited_for(world):
    phone = await world.person()
    request_id = await create(await world.signing())
    world.vault.states[request_id] = RequestState.RESERVED
    await drain(phone.relay.Connect(iter([opening(phone, request_id=request_id)])))
    await asyncio.sleep(0.1)
    world.vault.states[request_id] = RequestState.BURNED
    async with asyncio.timeout(5):
        while (await world.collection.requests.get(request_id)).status != "burned":
            await asyncio.sleep(0.02)
    answer = await phone.results.GetResult(phones.GetResultRequest(request_id=request_id))
    assert answer.status == phones.REQUEST_STATUS_BURNED
