"""The written procedure after a restored backup (spec §7, §8; docs/operations.md)."""

import pytest

from hsm_module.restore import restore
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    PinRejectedError,
    RetireShareError,
    VerificationError,
)
from signer_core.identifiers import RequestId
from signer_core.ports import KeyStatus, RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_backup import backup, bring_back
from tests.fakes.vault_phone import PhoneTransfer

CODE = bytes(range(32))


async def status(world, phone):
    return (await world.vault.keys.key_state(phone.key_id)).status


async def sign(world, phone, vault=None):
    await world.signing(phone, await world.request(phone), vault).run()


@pytest.fixture
async def restored(world):
    """Return what restores: every process of the world stopped, the marks alone."""

    async def run():
        for marks in world.marks:
            marks.close()
        world.marks.clear()
        vault = world.make_process("restoring", alone=True)
        done = await restore(vault.context.store, world.marks[0])
        world.marks.pop().close()
        world.vault = world.make_process("after")
        await world.vault.context.store.verify_marks()
        return done

    return run


async def renew(world, phone, use="refresh"):
    """What a phone does with a restored key: a transfer, then its first use."""
    renewed = await PhoneTransfer(await world.proved(phone, use=use)).run()
    await world.confirm(renewed)
    return renewed


@pytest.mark.causes("key-restored")
async def test_a_restored_key_is_active_again_after_new_shares_by_the_right_pin(world, restored):
    phone = await world.citizen()
    saved = await backup(world)
    for _ in range(2):
        await sign(world, phone)  # the phone's epoch goes on, the backup's does not
    await bring_back(world, saved)
    assert (await restored()).keys == 1
    assert await status(world, phone) is KeyStatus.RESTORED
    with pytest.raises(DeniedError):
        await world.vault.requests.register(world.registration(phone))
    session = world.signing(phone, world.empty_ask(phone, "refresh"))
    with pytest.raises(PinRejectedError):
        await session.run(Scalar((phone.x2 + 1) % Q))
    assert await status(world, phone) is KeyStatus.RESTORED
    renewed = await renew(world, phone)
    await sign(world, renewed)
    events = await world.events(phone)
    assert ("epoch", "not-judged") in events
    assert ("key-restored", "active") in events
    with pytest.raises(KeySuspendedError):
        await sign(world, phone)


async def test_the_epoch_rules_are_suspended_once_only(world, restored):
    phone = await world.citizen()
    saved = await backup(world)
    await sign(world, phone)
    await bring_back(world, saved)
    await restored()
    renewed = await PhoneTransfer(await world.proved(phone)).run()
    copy = renewed.copy()
    await sign(world, renewed)
    with pytest.raises(KeySuspendedError):
        await sign(world, copy)


async def test_a_transfer_broken_off_leaves_the_key_restored_and_usable(world, restored):
    phone = await world.citizen()
    saved = await backup(world)
    await sign(world, phone)
    await bring_back(world, saved)
    await restored()
    broken = PhoneTransfer(await world.proved(phone))
    await broken.to_confirmation()
    await broken.link.hang_up()
    assert await status(world, phone) is KeyStatus.RESTORED
    await sign(world, await renew(world, phone, "pin-change"))


async def test_a_restored_backup_gives_back_no_tries(world, restored):
    phone = await world.citizen()
    saved = await backup(world)
    ask = await world.request(phone)
    for _ in range(2):
        with pytest.raises(PinRejectedError):
            await world.try_wrong_pin(phone, ask)
    await bring_back(world, saved)
    await restored()
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["failed"], row["lifetime_failed"]) == (2, 2)


async def test_a_restored_backup_revives_no_key_that_had_ended(world, restored):
    phone = await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    saved = await backup(world)
    await world.vault.keys.suspend_by_code(CODE)
    await bring_back(world, saved)
    assert (await restored()).ended == 1
    with pytest.raises(RetireShareError):
        await world.signing(phone, world.empty_ask(phone, "refresh")).run()


async def test_a_restored_backup_makes_no_request_signable_twice(world, restored):
    phone = await world.citizen()
    ask, signed = await world.request(phone), await world.request(phone)
    saved = await backup(world)
    await world.signing(phone, signed).run()
    await bring_back(world, saved)
    assert (await restored()).burned == 2
    renewed = await renew(world, phone)
    for one in (ask, signed):
        result = await world.vault.requests.result(RequestId(one.request_id))
        assert result.state is RequestState.BURNED
        with pytest.raises(InvalidRequestError):
            await world.signing(renewed, one).run()
    await sign(world, renewed)


async def test_a_key_newer_than_the_backup_is_lost_and_named_so(world, restored):
    saved = await backup(world)
    phone = await world.citizen()
    await bring_back(world, saved)
    assert (await restored()).lost == 1
    with pytest.raises(NotFoundError):
        await world.vault.keys.key_state(phone.key_id)


async def test_restoring_twice_is_harmless_and_an_altered_row_stays_refused(world, restored):
    phone, other = await world.citizen(), await world.citizen()
    await world.edit("keys", {"failed": 1}, key_id=other.key_id)
    assert (await restored()).altered == 1
    assert (await restored()).keys == 2
    await sign(world, await renew(world, phone))
    with pytest.raises(VerificationError):
        await status(world, other)
