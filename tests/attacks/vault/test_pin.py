"""Guessing the PIN (docs/spec/ecdsa2p.md §3.1, §4): every try is counted before it is checked."""

import asyncio
import dataclasses
import secrets

import pytest

from signer_core.errors import (
    KeyBlockedError,
    KeyHeldError,
    PinRejectedError,
    ProtocolAbortError,
    SignerError,
)
from signer_core.ports import KeyStatus
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q

HOUR_S = 3600


async def test_nine_wrong_pins_block_the_key_with_two_waits(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    for tried in range(1, 10):
        with pytest.raises(PinRejectedError) as rejected:
            await world.try_wrong_pin(phone, ask)
        assert rejected.value.attempts_left == 9 - tried
        wait_s = {3: 3 * HOUR_S, 6: 24 * HOUR_S}.get(tried, 0)
        hold_until_s = rejected.value.hold_until_s
        if wait_s:
            assert wait_s - 5 <= hold_until_s - world.clock.unix_time_s() <= wait_s
            with pytest.raises(KeyHeldError) as held:
                await world.signing(phone, ask).run()
            assert held.value.hold_until_s == hold_until_s
            world.clock.ahead_s += wait_s
        else:
            assert hold_until_s == 0
    with pytest.raises(KeyBlockedError):
        await world.signing(phone, ask).run()
    state = await world.vault.keys.key_state(phone.key_id)
    assert (state.status, state.attempts_left) == (KeyStatus.BLOCKED, 0)
    assert ("sign", "key-blocked") in await world.events(phone)


async def test_a_right_pin_clears_the_count_and_tells_of_the_wrong_ones(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    for _ in range(2):
        with pytest.raises(PinRejectedError):
            await world.try_wrong_pin(phone, ask)
    session = world.signing(phone, ask)
    await session.run()
    assert session.reply.wrong_tries == 2
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"], row["hold_until_s"]) == (0, 2, 0)


async def test_thirty_wrong_pins_in_a_life_block_whatever_came_between(world):
    phone = await world.citizen()
    for _ in range(15):
        ask = await world.request(phone)
        for _ in range(2):
            with pytest.raises(PinRejectedError) as rejected:
                await world.try_wrong_pin(phone, ask)
        if rejected.value.attempts_left:
            await world.signing(phone, ask).run()
    with pytest.raises(KeyBlockedError):
        await world.signing(phone, ask).run()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"]) == (2, 30)


async def guess(world, phone, ask, vault):
    """Run one guessing session with a copy of the phone; return what the vault answered."""
    thief = phone.copy()
    session = world.signing(thief, ask, vault)
    try:
        await session.to_openings()
        await session.sign(Scalar((phone.x2 + 1 + secrets.randbelow(1000)) % Q))
    except SignerError as error:
        return error
    raise AssertionError("a wrong PIN signed")


async def test_parallel_guesses_on_two_processes_are_never_undercounted(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    vaults = (world.vault, world.make_process("process-2"))
    rejected = 0
    for _ in range(40):
        answers = await asyncio.gather(*(guess(world, phone, ask, vaults[n % 2]) for n in range(8)))
        rejected += sum(isinstance(answer, PinRejectedError) for answer in answers)
        row = await world.row("keys", key_id=phone.key_id)
        assert row["failed"] == row["lifetime_failed"] == rejected <= 9
        if any(isinstance(answer, KeyBlockedError) for answer in answers):
            break
        world.clock.ahead_s += 24 * HOUR_S
    assert rejected == 9


async def test_simultaneous_step_5s_of_one_key_are_judged_once(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    sessions = [world.signing(phone.copy(), ask) for _ in range(8)]
    for session in sessions:
        await session.to_openings()
    wrong = Scalar((phone.x2 + 1) % Q)
    answers = await asyncio.gather(
        *(session.sign(wrong) for session in sessions), return_exceptions=True
    )
    # "a newer session took over", or busy where several connections reach the row at once
    assert all(isinstance(answer, ProtocolAbortError) for answer in answers[:-1])
    assert isinstance(answers[-1], PinRejectedError)  # the newest session alone is live
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 1


@pytest.mark.parametrize("field", ["sigmas", "pin_proof"])
async def test_a_step_5_of_wrong_form_is_not_counted(world, field):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    before = await world.row("keys", key_id=phone.key_id)

    def break_form(step, m):
        return dataclasses.replace(m, **{field: getattr(m, field)[:-1]})

    with pytest.raises(ProtocolAbortError):
        await session.sign(tamper=break_form)
    assert await world.row("keys", key_id=phone.key_id) == before


async def test_a_hold_set_after_step_3_stops_step_5(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    store = world.vault.context.store
    async with store.transaction() as transaction:
        row, now_s = await transaction.keys.get(phone.key_id)
        await transaction.keys.save(dataclasses.replace(row, hold_until_s=now_s + 100))
    with pytest.raises(KeyHeldError):
        await session.sign()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0
