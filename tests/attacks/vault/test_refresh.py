"""New shares, same Q: late messages, wrong rows, and a crash at each step (spec §8)."""

import asyncio
import dataclasses

import pytest

from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    UnknownGenerationError,
)
from signer_core.ports import KeyStatus
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_phone import PhoneTransfer
from tests.fakes.vault_stage import Stage

USES = ["refresh", "pin-change"]


async def status(world, phone):
    return (await world.vault.keys.key_state(phone.key_id)).status


async def sign(world, phone):
    await world.signing(phone, await world.request(phone)).run()


def one_pad_wrong(step, m):
    if step != 7:
        return m
    wrong = (int.from_bytes(m.pads[5], "big") + 1) % Q
    pads = (*m.pads[:5], wrong.to_bytes(32, "big"), *m.pads[6:])
    return dataclasses.replace(m, pads=pads)


@pytest.mark.parametrize("use", USES)
async def test_both_generations_sign_until_the_first_success_of_the_new_one(world, use):
    phone = await world.citizen()
    renewed = await PhoneTransfer(await world.proved(phone, use=use)).run()
    assert (renewed.x2 != phone.x2, renewed.share.public_key) == (True, phone.share.public_key)
    await sign(world, phone)
    await sign(world, renewed)
    with pytest.raises(KeySuspendedError):
        await sign(world, phone)


async def test_an_empty_session_confirms_the_new_share_and_erases_the_old_one(world):
    phone = await world.citizen()
    renewed = await world.refresh(phone)
    await world.confirm(renewed)
    assert (await world.row("share_records", key_id=phone.key_id))["generation"] == 1
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["generation"], row["next_share_sha256"]) == (1, None)
    again = await world.refresh(renewed)
    await world.confirm(again)
    await sign(world, again)


async def test_an_empty_session_is_for_two_generations_only(world):
    phone = await world.citizen()
    with pytest.raises(InvalidRequestError):
        await world.confirm(phone)


async def test_the_photo_check_of_an_empty_session_is_over_the_key(world):
    phone = await world.citizen()
    ask = world.empty_ask(phone, "refresh")
    session = world.signing(phone, ask)
    session.ask = dataclasses.replace(ask, attestation=world.attest(phone, b"r" * 16))
    with pytest.raises(DeniedError):
        await session.run()


async def test_a_generation_not_yet_known_is_named_so_and_suspends_nothing(world):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    renewed = await transfer.to_confirmation()
    with pytest.raises(UnknownGenerationError):
        await sign(world, renewed)
    assert await status(world, phone) is KeyStatus.ACTIVE


async def test_an_erased_generation_suspends_at_once(world):
    phone = await world.citizen()
    copy = phone.copy()
    await world.confirm(await world.refresh(phone))
    session = world.signing(copy, await world.request(copy))
    with pytest.raises(KeySuspendedError):
        await session.link.ask(session.request())
    assert await status(world, phone) is KeyStatus.SUSPENDED
    assert ("notify-owner", "clone") in await world.events(phone)


async def test_a_generation_erased_during_a_session_suspends_at_its_step_3(world):
    phone = await world.citizen()
    renewed = await world.refresh(phone)
    session = world.signing(phone, await world.request(phone))
    m2 = await session.link.ask(session.request())
    await world.confirm(renewed)
    with pytest.raises(KeySuspendedError):
        await session.link.ask(session.party.step3_answer(m2, session.ask.attestation.encode()))
    assert await status(world, phone) is KeyStatus.SUSPENDED


async def test_an_erased_generation_of_another_phone_suspends_nothing(world):
    phone, other = await world.citizen(), await world.citizen()
    await world.confirm(await world.refresh(phone))
    session = world.signing(phone, await world.request(phone))
    session.link = world.connect(other)
    with pytest.raises(DeniedError):
        await session.link.ask(session.request())
    assert await status(world, phone) is KeyStatus.ACTIVE


async def test_a_wrong_pin_in_a_refresh_is_counted_and_makes_no_share(world):
    phone = await world.citizen()
    session = world.signing(phone, world.empty_ask(phone, "refresh"))
    with pytest.raises(PinRejectedError):
        await session.run(Scalar((phone.x2 + 1) % Q))
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"], row["judging_sid"]) == (1, 1, None)
    await sign(world, await world.refresh(phone))


async def test_inconsistent_inputs_retire_the_key(world):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    with pytest.raises(RetireShareError):
        await transfer.run(one_pad_wrong)
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["judging_sid"], row["next_share_sha256"]) == ("retired", None, None)
    assert ("certificate-revocation", "queued") in await world.events(phone)


@pytest.mark.parametrize("step", [3, 5])
async def test_a_malformed_row_ends_the_transfer_and_nothing_more(world, step):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))

    def spoil(at, m):
        spoiled = {3: {"transfer_key_proof": bytes(65)}, 5: {"corrections": ()}}
        return dataclasses.replace(m, **spoiled[step]) if at == step else m

    with pytest.raises(ProtocolAbortError):
        await transfer.run(spoil)
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["status"]) == (0, "active")
    await sign(world, phone)


async def test_a_row_7_of_wrong_form_is_not_counted(world):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    with pytest.raises(ProtocolAbortError):
        await transfer.run(lambda at, m: dataclasses.replace(m, pads=()) if at == 7 else m)
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0


async def test_a_wrong_confirmation_stores_nothing(world):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    with pytest.raises(ProtocolAbortError):
        await transfer.run(lambda at, m: dataclasses.replace(m, digest=bytes(32)) if at == 9 else m)
    assert (await world.row("keys", key_id=phone.key_id))["next_share_sha256"] is None
    await sign(world, phone)


async def test_delta_is_sent_before_any_correction_and_only_once(world):
    """A phone that waits with row 3, or sends row 5 first, gets nothing more."""
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    m2 = await transfer.link.receive()
    m4 = await transfer.link.ask(transfer.party.step3_publish(m2, phone.x2))
    assert transfer.link.channel.sent.empty()
    corrections = transfer.party.step5_correct(m4)
    late = PhoneTransfer(await world.proved(phone))
    await late.link.receive()
    with pytest.raises(ProtocolAbortError):
        await late.link.ask(corrections)


async def test_a_confirmation_held_back_by_the_relay_changes_nothing(world):
    """Row 9 of a broken-off refresh arrives after the next refresh: it must not replace it."""
    phone = await world.citizen()
    held = PhoneTransfer(await world.proved(phone))
    await held.to_confirmation()
    renewed = await world.refresh(phone)
    with pytest.raises(ProtocolAbortError):
        await held.link.ask(held.made.confirmation)
    await sign(world, renewed)


async def test_a_newer_session_kills_a_transfer_under_way(world):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    opening = await transfer.to_opening()
    await sign(world, phone)
    with pytest.raises(ProtocolAbortError):
        await transfer.link.ask(opening)
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0


async def test_a_refresh_under_the_new_generation_goes_on_from_it(world):
    phone = await world.citizen()
    renewed = await world.refresh(phone)
    again = await world.refresh(renewed)
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["generation"], again.share.generation) == (1, 2)
    await world.confirm(again)
    with pytest.raises(KeySuspendedError):
        await sign(world, renewed)


async def test_an_unused_new_generation_is_replaced_by_the_next_transfer(world):
    phone = await world.citizen()
    lost = await world.refresh(phone)
    renewed = await world.refresh(phone)
    await sign(world, renewed)
    with pytest.raises(KeySuspendedError):
        await sign(world, lost)


async def test_each_generation_has_its_own_epochs(world):
    phone = await world.citizen()
    renewed = await world.refresh(phone)
    for _ in range(2):
        await sign(world, phone)
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["epoch"], row["next_epoch"]) == (4, 0)
    session = world.signing(renewed, await world.request(renewed))
    await session.to_openings()
    await session.sign()  # the reply is lost; the old generation is erased all the same
    await session.link.hang_up()
    await sign(world, renewed)
    assert ("epoch", "lost-reply") in await world.events(phone)


async def test_a_copy_of_the_new_generation_is_found(world):
    phone = await world.citizen()
    renewed = await world.refresh(phone)
    copy = renewed.copy()
    await world.confirm(renewed)
    with pytest.raises(KeySuspendedError):
        await sign(world, copy)


# --- crashes -------------------------------------------------------------------------------------


async def until_row(world, phone, row, doomed):
    """Run a refresh in a process that dies after this row; return the phone's new generation."""
    transfer = PhoneTransfer(await world.proved(phone, doomed))
    renewed = None
    if row == 2:
        await transfer.link.receive()
    elif row in (4, 6):
        await transfer.to_opening()
    else:
        renewed = await transfer.to_confirmation()
        if row == 9:
            await transfer.link.ask(transfer.made.confirmation)
    await transfer.link.hang_up()
    return renewed


@pytest.mark.parametrize("row", [2, 6, 8, 9])
async def test_a_crash_after_any_row_leaves_the_key_usable(world, row):
    phone = await world.citizen()
    renewed = await until_row(world, phone, row, world.make_process("doomed"))
    if row == 8:  # the phone has it, the vault never stored it
        with pytest.raises(UnknownGenerationError):
            await sign(world, renewed)
    if row == 9:
        await sign(world, renewed)
        phone = renewed
    await sign(world, phone)
    await sign(world, await world.refresh(phone))
    assert (await world.row("keys", key_id=phone.key_id))["unresolved"] == 0


@pytest.mark.parametrize("right", [True, False])
async def test_a_process_killed_while_it_judges_row_7_leaves_it_unresolved(
    world, monkeypatch, right
):
    phone = await world.citizen()
    doomed = world.make_process("doomed")
    transfer = PhoneTransfer(await world.proved(phone, doomed))
    opening = await transfer.to_opening()
    with monkeypatch.context() as patch:
        staged = Stage(patch, doomed.context.store, 2, "before")
        answer = opening if right else one_pad_wrong(7, opening)
        await transfer.link.channel.inbox.put(answer)
        await asyncio.wait_for(staged.reached.wait(), 10)
        for task in list(doomed.judgement._under_way):
            task.cancel()
        await transfer.link.hang_up()
    world.clock.ahead_s += 61
    assert await status(world, phone) is KeyStatus.ACTIVE
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["unresolved"], row["judging_sid"]) == (1, 1, None)
    await sign(world, phone)


@pytest.mark.parametrize("right", [True, False])
async def test_a_phone_that_hangs_up_changes_no_verdict_on_row_7(world, monkeypatch, right):
    phone = await world.citizen()
    transfer = PhoneTransfer(await world.proved(phone))
    opening = await transfer.to_opening()
    staged = Stage(monkeypatch, world.vault.context.store, 1, "after")
    await transfer.link.channel.inbox.put(opening if right else one_pad_wrong(7, opening))
    await asyncio.wait_for(staged.reached.wait(), 10)
    await transfer.link.hang_up()
    staged.go_on.set()
    await world.vault.judgement.finish_all()
    monkeypatch.undo()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["failed"]) == (("active", 0) if right else ("retired", 1))
