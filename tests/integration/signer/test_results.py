"""What the vault decided becomes the signer's state: at once, later, or after a crash."""

import asyncio
from datetime import timedelta

import pytest

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from signer_core.errors import KeyBlockedError, NotFoundError, UnavailableError, VerificationError
from signer_core.ports import RequestState, SignedItem
from signer_core.signing.collect import JUDGEMENT_S
from signer_core.signing.model import RequestStatus
from tests.fakes.refusals import drain, refused, rest
from tests.fakes.requests import PERSON_CODE
from tests.fakes.signer_world import ADDRESS
from tests.fakes.uploads import create, file
from tests.fakes.vault_ports import new_citizen


@pytest.fixture
async def phone(world):
    return await world.person()


@pytest.fixture
async def signing(world, phone):
    return await world.signing()


@pytest.fixture
async def request_id(signing):
    return await create(signing, file("a.pdf"), file("b.pdf"))


@pytest.fixture
async def attributes(world, request_id):
    stored = await world.collection.requests.get(request_id)
    return [entry.to_be_signed for entry in stored.files]


async def status(world, request_id):
    return (await world.collection.requests.get(request_id)).status


async def test_a_watching_caller_sees_open_then_signed_then_the_end(
    world, signing, request_id, attributes
):
    watch = signing.WatchRequest(internal.WatchRequestRequest(request_id=request_id))
    assert (await watch.read()).state.status == internal.STATUS_OPEN
    world.vault.sign(request_id, attributes)
    async with asyncio.timeout(1.5):  # less than a poll: it was told
        await world.collection.collect(request_id)
        (last,) = await rest(watch)
    assert last.state.status == internal.STATUS_CONSUMED
    assert list(last.state.file_names) == ["a.pdf", "b.pdf"]


async def test_a_watching_caller_sees_a_change_by_another_process(world, signing, request_id):
    watch = signing.WatchRequest(internal.WatchRequestRequest(request_id=request_id))
    await watch.read()
    await world.collection.requests.settle_burned(request_id, 1)  # nobody rings
    async with asyncio.timeout(4):
        (last,) = await rest(watch)
    assert last.state.status == internal.STATUS_BURNED


async def test_a_withdrawn_request_is_burned_first(world, signing, request_id):
    withdraw = internal.WithdrawRequestRequest(request_id=request_id)
    await signing.WithdrawRequest(withdraw)
    assert world.vault.states[request_id] is RequestState.BURNED
    assert await status(world, request_id) is RequestStatus.WITHDRAWN
    await signing.WithdrawRequest(withdraw)


async def test_a_signed_request_cannot_be_withdrawn(world, signing, request_id, attributes):
    world.vault.sign(request_id, attributes)
    withdraw = internal.WithdrawRequestRequest(request_id=request_id)
    with refused("invalid_request", "signed"):
        await signing.WithdrawRequest(withdraw)
    await world.collection.collect(request_id)
    assert await status(world, request_id) is RequestStatus.CONSUMED
    with refused("invalid_request", "consumed"):
        await signing.WithdrawRequest(withdraw)


FALSE_RESULTS = {
    "one signature too few": lambda items, other: items[:1],
    "one too many": lambda items, other: [*items, items[0]],
    "in another order": lambda items, other: items[::-1],
    "of another kind": lambda items, other: [
        SignedItem("pkcs10", one.data, one.signature) for one in items
    ],
    "by another key": lambda items, other: [
        SignedItem("cms", one.data, other.sign(one.data)) for one in items
    ],
    "over other bytes": lambda items, other: [
        SignedItem("cms", one.data + b"\x00", one.signature) for one in items
    ],
    "of another file": lambda items, other: [items[0], items[0]],
}


@pytest.mark.parametrize("change", FALSE_RESULTS.values(), ids=FALSE_RESULTS)
async def test_a_result_that_does_not_verify_is_never_given_out(
    world, signing, request_id, attributes, change
):
    world.vault.sign(request_id, attributes)
    items = world.vault.items[request_id]
    world.vault.items[request_id] = change(items, new_citizen(world.clock.now))
    with pytest.raises(VerificationError):
        await world.collection.collect(request_id)
    assert await status(world, request_id) is RequestStatus.OPEN
    with refused("not_found"):
        await drain(
            signing.GetSignedDocument(internal.GetSignedDocumentRequest(request_id=request_id))
        )
    world.vault.items[request_id] = items  # the vault repaired, nothing is lost
    await world.collection.collect(request_id)
    assert await status(world, request_id) is RequestStatus.CONSUMED


async def test_a_finished_file_under_an_untrusted_root_is_not_given_out(
    world, request_id, attributes, phone
):
    world.vault.sign(request_id, attributes)
    citizen = world.vault.citizens.pop(phone.key_id)  # and with it, here, the trusted root
    with pytest.raises(VerificationError, match="does not verify"):
        await world.collection.collect(request_id)
    world.vault.citizens[phone.key_id] = citizen


async def test_collecting_at_once_finishes_once(world, request_id, attributes):
    world.vault.sign(request_id, attributes)
    await asyncio.gather(*(world.collection.collect(request_id) for _ in range(5)))
    assert world.vault.calls.count("result") == 1


async def test_without_the_vault_a_state_is_still_told(world, signing, request_id):
    world.vault.away = True
    state = await signing.GetRequest(internal.GetRequestRequest(request_id=request_id))
    assert state.state.status == internal.STATUS_OPEN


async def test_an_expired_request_becomes_final_only_after_any_judgement(world, request_id):
    world.clock.now += timedelta(seconds=900 + JUDGEMENT_S)
    await world.collection.collect(request_id)
    assert await status(world, request_id) is RequestStatus.OPEN
    world.clock.now += timedelta(seconds=1)
    await world.collection.collect(request_id)
    assert await status(world, request_id) is RequestStatus.EXPIRED


class TestRecovery:
    async def test_what_was_signed_before_a_crash_is_collected(self, world, request_id, attributes):
        world.vault.sign(request_id, attributes)
        await world.parts.recovery(world.collection).run()
        assert await status(world, request_id) is RequestStatus.CONSUMED

    async def test_what_was_stored_but_not_registered_is_opened(self, world, signing):
        world.vault.away = True
        with refused("unavailable"):
            await create(signing)
        world.vault.away = False
        (request_id,) = await world.collection.requests.unfinished()
        await world.parts.recovery(world.collection).run()
        assert await status(world, request_id) is RequestStatus.OPEN
        assert request_id in world.vault.registered

    async def test_what_the_vault_refuses_is_dropped_and_holds_nobody_up(
        self, world, signing, request_id, attributes
    ):
        world.vault.away = True
        with refused("unavailable"):
            await create(signing)
        world.vault.away = False
        world.vault.refusal = KeyBlockedError("blocked")
        world.vault.sign(request_id, attributes)
        (new,) = set(await world.collection.requests.unfinished()) - {request_id}
        await world.parts.recovery(world.collection).run()
        with pytest.raises(NotFoundError):
            await world.collection.requests.get(new)
        assert await status(world, request_id) is RequestStatus.CONSUMED

    async def test_it_waits_for_the_vault(self, world, request_id, attributes, monkeypatch):
        monkeypatch.setattr("signer_core.signing.recover._RETRY_S", 0.02)
        world.vault.sign(request_id, attributes)
        world.vault.away = True
        running = asyncio.create_task(world.parts.recovery(world.collection).run())
        await asyncio.sleep(0.1)
        assert not running.done()
        with pytest.raises(UnavailableError):
            await world.collection.collect(request_id)
        world.vault.away = False
        await asyncio.wait_for(running, 2)
        assert await status(world, request_id) is RequestStatus.CONSUMED


async def test_logs_name_no_person_no_document_and_no_purpose(world, logs, phone, signing):
    request_id = await create(
        signing, file("Таємний заповіт.pdf"), purpose="Про спадок", return_address=ADDRESS
    )
    stored = await world.collection.requests.get(request_id)
    world.vault.sign(request_id, [entry.to_be_signed for entry in stored.files])
    await signing.GetRequest(internal.GetRequestRequest(request_id=request_id))
    with refused("invalid_request"):
        await create(signing, file("Таємний заповіт.pdf", b"no PDF"))
    written = logs.getvalue()
    assert request_id.hex() in written
    for secret in ("заповіт", "спадок", ADDRESS, PERSON_CODE, "Калинова"):
        assert secret not in written
