"""Copies of a phone's data (docs/spec/ecdsa2p.md §5)."""

import asyncio
import dataclasses

import pytest

from signer_core.errors import KeySuspendedError, ProtocolAbortError
from signer_core.ports import KeyStatus
from tests.fakes.vault_stage import Stage


async def signed_without_storing(world, phone):
    """Sign, and lose the reply: the phone knows only that its step 5 is pending."""
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    await session.sign()
    await session.link.hang_up()


@pytest.mark.causes("epoch")
async def test_a_lost_reply_is_accepted_and_audited(world):
    phone = await world.citizen()
    await signed_without_storing(world, phone)
    await world.signing(phone, await world.request(phone)).run()
    assert ("epoch", "lost-reply") in await world.events(phone)
    await world.signing(phone, await world.request(phone)).run()


async def test_two_lost_replies_in_a_row_are_accepted(world):
    phone = await world.citizen()
    await signed_without_storing(world, phone)
    await signed_without_storing(world, phone)
    await world.signing(phone, await world.request(phone)).run()


async def test_a_copy_made_before_a_signature_suspends_the_key(world):
    phone = await world.citizen()
    copy = phone.copy()
    await world.signing(phone, await world.request(phone)).run()
    with pytest.raises(KeySuspendedError):
        await world.signing(copy, await world.request(phone)).run()
    ask_state = await world.vault.keys.key_state(phone.key_id)
    assert ask_state.status is KeyStatus.SUSPENDED
    assert ("notify-owner", "clone") in await world.events(phone)
    with pytest.raises(KeySuspendedError):
        await world.vault.requests.register(world.registration(phone))


async def test_a_copy_that_did_not_send_the_last_step_5_suspends_the_key(world):
    phone = await world.citizen()
    copy = phone.copy()
    await signed_without_storing(world, phone)
    with pytest.raises(KeySuspendedError):
        await world.signing(copy, await world.request(phone)).run()


async def test_a_shown_epoch_key_ends_the_old_one_even_without_an_ack(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    signed = await session.sign()
    copy = phone.copy()  # with the pending session, before the new epoch is stored
    await session.link.hang_up()
    phone.epoch = signed.epoch
    shown = world.signing(phone, await world.request(phone))
    await shown.to_openings()
    with pytest.raises(KeySuspendedError):
        await world.signing(copy, await world.request(phone)).run()


async def test_a_right_tag_under_another_number_suspends(world):
    phone = await world.citizen()
    phone.epoch = dataclasses.replace(phone.epoch, number=phone.epoch.number + 1)
    with pytest.raises(KeySuspendedError):
        await world.signing(phone, await world.request(phone)).run()


async def test_a_wrong_ack_ends_the_session_and_suspends_nothing(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    signed = await session.sign()
    with pytest.raises(ProtocolAbortError):
        await session.acknowledge(signed, lambda step, m: dataclasses.replace(m, tag=bytes(32)))
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["epoch_shown"]) == ("active", 0)


async def test_an_ack_marks_the_epoch_as_shown(world):
    phone = await world.citizen()
    assert (await world.row("keys", key_id=phone.key_id))["epoch_shown"] == 1


@pytest.mark.parametrize("judged", [False, True])
async def test_an_ack_while_a_copy_claims_a_lost_reply_suspends_the_key(world, monkeypatch, judged):
    """Who acknowledges has stored the epoch; who claims a lost reply has not: two phones."""
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    signed = await session.sign()
    copy = phone.copy()  # with the pending session, before the new epoch is stored
    claimed = world.signing(copy, await world.request(copy))
    await claimed.to_openings()
    if judged:
        staged = Stage(monkeypatch, world.vault.context.store, 1, "after")
        await claimed.link.channel.inbox.put(claimed.make_partials())
        await asyncio.wait_for(staged.reached.wait(), 10)
        monkeypatch.undo()
    with pytest.raises(KeySuspendedError):
        await session.acknowledge(signed)
    if judged:
        staged.go_on.set()
        with pytest.raises(ProtocolAbortError):  # its verdict releases nothing
            await claimed.link.receive()
    else:
        with pytest.raises(KeySuspendedError):
            await claimed.sign()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["judging_sid"], row["live_sid"]) == ("suspended", None, None)
    state = (await world.row("requests", request_id=claimed.ask.request_id))["state"]
    assert state == ("burned" if judged else "open")
