"""Breaking off the judgement of §3.1 between each pair of its moments: the verdict stays."""

import asyncio
import dataclasses

import pytest

from signer_core.errors import (
    BusyError,
    InvalidRequestError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
)
from signer_core.identifiers import RequestId
from signer_core.ports import KeyStatus, RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_phone import Ask
from tests.fakes.vault_stage import Stage

WRONG, BAD_ARITHMETIC, RIGHT = "wrong", "bad arithmetic", "right"


def wrong_x2(phone):
    return Scalar((phone.x2 + 1) % Q)


def stage(monkeypatch, vault, number, where):
    return Stage(monkeypatch, vault.context.store, number, where)


def step_5(session, phone, verdict):
    """Return a step 5 that ends in this verdict."""
    if verdict == WRONG:
        return session.make_partials(wrong_x2(phone))
    if verdict == RIGHT:
        return session.make_partials()
    return bad_arithmetic(session)


def bad_arithmetic(session, index=0):
    """Return a step 5 with the right PIN and one sigma that is one too large.

    The device corrupts its own sigma before it proves the PIN over it.
    """
    batch = session.party._batch
    original = batch[index].step5_sign

    class Corrupt:
        def step5_sign(self, h, x2):
            value = int.from_bytes(original(h, x2), "big")
            return ((value + 1) % Q).to_bytes(32, "big")

    batch[index] = Corrupt()
    return session.make_partials()


# (number of the transaction, where): 1 is the count of §3.1.1, 2 the verdict of §3.1.3 to 5
MOMENTS = [(1, "before"), (1, "inside"), (1, "after"), (2, "before"), (2, "inside"), (2, "after")]


@pytest.mark.parametrize("verdict", [WRONG, BAD_ARITHMETIC, RIGHT])
@pytest.mark.parametrize(("number", "where"), MOMENTS)
async def test_a_phone_that_hangs_up_changes_no_verdict(world, monkeypatch, number, where, verdict):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    staged = stage(monkeypatch, world.vault, number, where)
    await session.link.channel.inbox.put(step_5(session, phone, verdict))
    await asyncio.wait_for(staged.reached.wait(), 10)
    await session.link.hang_up()
    staged.go_on.set()
    await world.vault.judgement.finish_all()
    monkeypatch.undo()
    row = await world.row("keys", key_id=phone.key_id)
    state = (await world.vault.requests.result(RequestId(ask.request_id))).state
    expected = {
        WRONG: (1, "active", RequestState.OPEN),
        BAD_ARITHMETIC: (1, "retired", RequestState.BURNED),
        RIGHT: (0, "active", RequestState.CONSUMED),
    }[verdict]
    assert (row["failed"], row["status"], state) == expected
    assert row["judging_sid"] is row["live_sid"] is None
    assert row["unresolved"] == 0


async def test_hanging_up_before_step_5_costs_nothing(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    await session.link.hang_up()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["judging_sid"], row["unresolved"]) == (0, None, 0)


async def kill(world, monkeypatch, phone, ask, verdict, moment=(2, "before")):
    """Run a session to a moment of its judgement, and let its process die there."""
    doomed = world.make_process("doomed")
    session = world.signing(phone, ask, doomed)
    await session.to_openings()
    with monkeypatch.context() as patch:
        staged = stage(patch, doomed, *moment)
        await session.link.channel.inbox.put(step_5(session, phone, verdict))
        await asyncio.wait_for(staged.reached.wait(), 10)
        for task in list(doomed.judgement._under_way):
            task.cancel()
        await session.link.hang_up()


@pytest.mark.parametrize("verdict", [WRONG, BAD_ARITHMETIC, RIGHT])
@pytest.mark.parametrize("moment", [(1, "after"), (2, "before"), (2, "inside")])
@pytest.mark.causes("judgement-unresolved")
async def test_a_killed_process_leaves_a_counted_try_and_an_unresolved_judgement(
    world, monkeypatch, verdict, moment
):
    phone = await world.citizen()
    ask = await world.request(phone)
    await kill(world, monkeypatch, phone, ask, verdict, moment)
    with pytest.raises(BusyError):
        await world.signing(phone, ask).run()
    world.clock.ahead_s += 61
    with pytest.raises(InvalidRequestError):  # burned
        await world.signing(phone, ask).run()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"], row["unresolved"]) == (1, 1, 1)
    assert row["judging_sid"] is None
    await world.signing(phone, await world.request(phone)).run()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"], row["unresolved"]) == (0, 1, 1)


@pytest.mark.parametrize("moment", [(1, "before"), (1, "inside")])
async def test_a_process_killed_before_the_count_is_committed_counts_nothing(
    world, monkeypatch, moment
):
    phone = await world.citizen()
    ask = await world.request(phone)
    await kill(world, monkeypatch, phone, ask, WRONG, moment)
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0
    await world.signing(phone, ask).run()


@pytest.mark.causes("key-retired", "certificate-revocation")
async def test_three_unresolved_judgements_retire_the_key(world, monkeypatch):
    phone = await world.citizen()
    for _ in range(3):
        await kill(world, monkeypatch, phone, await world.request(phone), BAD_ARITHMETIC)
        world.clock.ahead_s += 61 + 3 * 3600
        state = await world.vault.keys.key_state(phone.key_id)
    assert state.status is KeyStatus.RETIRED
    with pytest.raises(RetireShareError):
        await world.signing(phone, Ask(b"r" * 16, bytes(32), (), "")).run()
    assert ("certificate-revocation", "queued") in await world.events(phone)


async def test_whoever_asks_for_the_result_settles_an_overdue_judgement(world, monkeypatch):
    phone = await world.citizen()
    ask = await world.request(phone)
    await kill(world, monkeypatch, phone, ask, RIGHT)
    requests = world.vault.requests
    assert (await requests.result(RequestId(ask.request_id))).state is RequestState.RESERVED
    world.clock.ahead_s += 61
    assert (await requests.result(RequestId(ask.request_id))).state is RequestState.BURNED


@pytest.mark.parametrize("verdict", [WRONG, RIGHT])
async def test_a_verdict_too_late_releases_nothing(world, monkeypatch, verdict):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    staged = stage(monkeypatch, world.vault, 2, "before")
    await session.link.channel.inbox.put(step_5(session, phone, verdict))
    await asyncio.wait_for(staged.reached.wait(), 10)
    world.clock.ahead_s += 61
    other = world.make_process("process-2")
    await other.keys.key_state(phone.key_id)  # meets it
    staged.go_on.set()
    with pytest.raises(ProtocolAbortError):
        await session.link.receive()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["unresolved"], row["status"]) == (1, 1, "active")
    result = await other.requests.result(RequestId(ask.request_id))
    assert (result.state, result.items) == (RequestState.BURNED, ())


async def test_a_retirement_too_late_still_commits(world, monkeypatch):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    staged = stage(monkeypatch, world.vault, 2, "before")
    await session.link.channel.inbox.put(step_5(session, phone, BAD_ARITHMETIC))
    await asyncio.wait_for(staged.reached.wait(), 10)
    world.clock.ahead_s += 61
    await world.make_process("process-2").keys.key_state(phone.key_id)
    staged.go_on.set()
    with pytest.raises(RetireShareError):
        await session.link.receive()
    assert (await world.vault.keys.key_state(phone.key_id)).status is KeyStatus.RETIRED


async def test_others_are_busy_while_a_session_is_judged(world, monkeypatch):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    late = world.signing(phone.copy(), await world.request(phone))
    await session.to_openings()
    m2 = await late.link.ask(
        late.party.step1_request("sign", late.ask.request_id, late.ask.request_hash, late.ask.items)
    )
    staged = stage(monkeypatch, world.vault, 2, "before")
    await session.link.channel.inbox.put(step_5(session, phone, RIGHT))
    await asyncio.wait_for(staged.reached.wait(), 10)
    other = world.make_process("process-2")
    third = world.signing(phone.copy(), await world.request(phone), other)
    with pytest.raises(BusyError):  # at step 1
        await third.link.ask(third.request())
    staged.at = (0, "")
    with pytest.raises(BusyError):  # at step 3: it takes no key from the judged one
        await late.link.ask(late.party.step3_answer(m2, late.ask.attestation.encode()))
    staged.go_on.set()
    await session.link.receive()


@pytest.mark.parametrize("index", [0, 1, 2])
async def test_one_bad_digest_of_three_retires_the_key_and_nothing_tells_which(world, index):
    phone = await world.citizen()
    ask = await world.request(phone, files=3)
    session = world.signing(phone, ask)
    await session.to_openings()
    with pytest.raises(RetireShareError) as retired:
        await session.link.ask(bad_arithmetic(session, index))
    assert str(retired.value) == "the arithmetic of a signature was wrong"
    result = await world.vault.requests.result(RequestId(ask.request_id))
    assert (result.state, result.items) == (RequestState.BURNED, ())
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["judging_sid"], row["live_sid"]) == ("retired", None, None)
    events = await world.events(phone)
    of_certificates = {event for event in events if event[0] == "certificate-status"}
    assert of_certificates == {("certificate-status", "key-compromise")}
    assert [event for event in events if event not in of_certificates][-2:] == [
        ("key-retired", "wrong-arithmetic"),
        ("certificate-revocation", "queued"),
    ]
    with pytest.raises(RetireShareError):
        await world.vault.requests.register(world.registration(phone))


async def test_a_newer_session_kills_the_older_at_its_step_3_only(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    old = world.signing(phone, ask)
    await old.to_openings()
    half = world.signing(phone.copy(), ask)
    await half.link.ask(
        half.party.step1_request("sign", ask.request_id, ask.request_hash, ask.items)
    )
    signed = await old.sign()  # step 1 of another session did not disturb it
    await old.acknowledge(signed)


async def test_a_wrong_pin_reopens_the_request(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    await world.signing(phone, ask).run()


async def test_a_verdict_is_never_judged_twice_by_one_session(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    partials = session.make_partials()
    await session.link.ask(partials)
    with pytest.raises(ProtocolAbortError):
        await session.link.ask(dataclasses.replace(partials))
