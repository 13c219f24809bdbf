"""A change of the PIN: what a thief of two files has, and what a crash leaves (§8)."""

import dataclasses
import shutil
from contextlib import suppress

import pytest

from mobile_share import transfer
from mobile_share.errors import ReplyLostError, StorageError, UnchangedError
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.pin import derive_factor, unmask_share
from mobile_share.share_file import ShareStatus, ShareStore
from signer_core.errors import (
    KeySuspendedError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    SignerError,
    UnavailableError,
    UnknownGenerationError,
)
from signer_core.protocol.transcript import Q
from tests.fakes.phone_fixtures import PIN, change_pin, sign

NEW = "90817"


class PowerCut(BaseException):
    """Nothing after it runs, as nothing catches it."""


@pytest.fixture
async def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate())


def die(*_):
    raise PowerCut


def lose_line(*_):
    raise UnavailableError("gone")


async def x2_of(phone, pin):
    stored = phone.shares.load()
    factor = await derive_factor(pin, phone.key_store.device_secret(), stored.mask)
    return unmask_share(stored.masked_share, factor)


async def make(phone, world, pin=PIN, new_pin=NEW, use="pin-change"):
    async with transfer.prepare(phone, world.signer, use, b"photo") as prepared:
        return await prepared.make(pin, new_pin)


def only_key(world):
    (key,) = world.vault.keys.values()
    return key


async def test_new_pin_signs_and_the_old_one_does_not(enrolled, world, request_id):
    await change_pin(enrolled, world)
    with pytest.raises(PinRejectedError):
        await sign(enrolled, world, request_id, PIN)
    assert (await sign(enrolled, world, request_id, NEW)).signatures == 1


async def test_refresh_keeps_pin_and_public_key(enrolled, world, request_id):
    before = enrolled.shares.load()
    await change_pin(enrolled, world, PIN, PIN, use="refresh")
    after = enrolled.shares.load()
    assert after.share.generation == 1
    assert after.share.public_key == before.share.public_key
    assert after.share.zeros != before.share.zeros
    assert (await sign(enrolled, world, request_id, PIN)).signatures == 1


async def test_two_files_around_a_pin_change_share_no_mask(enrolled, world):
    deltas = []
    world.vault.hooks["delta"] = lambda message: deltas.append(message.delta)
    before, x2 = enrolled.shares.load(), await x2_of(enrolled, PIN)
    await change_pin(enrolled, world)
    after, new_x2 = enrolled.shares.load(), await x2_of(enrolled, NEW)
    assert before.mask.salt != after.mask.salt
    assert before.masked_share != after.masked_share
    # w' - w would give F - F_new, and with it both PINs, if x2 were kept
    (delta,) = deltas
    assert new_x2 != x2
    assert (new_x2 - x2) % Q == int.from_bytes(delta, "big")
    files = [path for path in enrolled.folder.iterdir() if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files) + after.to_bytes() + before.to_bytes()
    assert delta not in kept
    assert delta.hex().encode() not in kept


async def test_after_the_first_use_one_generation_is_left(enrolled, world):
    await change_pin(enrolled, world)
    assert {p.name for p in enrolled.folder.iterdir() if p.name.startswith("share")} == {"share"}
    assert [g.share.generation for g in only_key(world).generations] == [1]


async def test_stolen_copy_of_the_old_file_suspends_the_key(enrolled, world, request_id, tmp_path):
    shutil.copytree(enrolled.folder, tmp_path / "stolen")
    thief = Phone(tmp_path / "stolen", FileKeyStore(tmp_path / "stolen"), world.deployment)
    await change_pin(enrolled, world)
    with pytest.raises(KeySuspendedError):
        await sign(thief, world, request_id)
    assert only_key(world).status == "suspended"


async def test_word_of_suspension_inside_the_channel_erases_the_share(enrolled, world, request_id):
    secret = enrolled.shares.load().masked_share
    only_key(world).status = "suspended"
    with pytest.raises(KeySuspendedError):
        await sign(enrolled, world, request_id)
    stored = enrolled.shares.load()
    assert stored.status is ShareStatus.SUSPENDED
    assert stored.masked_share != secret
    world.vault.keys.clear()  # not even asked any more
    with pytest.raises(KeySuspendedError):
        await sign(enrolled, world, request_id)


async def test_retirement_at_the_first_use_erases_both_generations(enrolled, world):
    await make(enrolled, world)

    def attack(_):
        raise RetireShareError("attack")

    world.vault.hooks["step4"] = attack
    with pytest.raises(RetireShareError):
        await transfer.use_first(enrolled, world.signer, b"photo", NEW)
    assert enrolled.shares.load().status is ShareStatus.RETIRED
    assert {p.name for p in enrolled.folder.iterdir() if p.name.startswith("share")} == {"share"}


async def test_retirement_in_a_transfer_leaves_no_generation_usable(enrolled, world):
    def attack(_):
        raise RetireShareError("attack")

    world.vault.hooks["row7"] = attack
    with pytest.raises(RetireShareError):
        await make(enrolled, world)
    assert enrolled.shares.load().status is ShareStatus.RETIRED
    assert not enrolled.shares.has_next()


# Crashes: where the vault has one generation, the old PIN signs; where two, the new one

BEFORE_ROW_9 = ["step4", "step5", "step6", "step7", "delta", "row4", "row6", "row7", "row8"]


@pytest.mark.parametrize("moment", [*BEFORE_ROW_9, "row9"])
async def test_vault_gone_before_it_took_the_new_shares(enrolled, world, request_id, moment):
    world.vault.hooks[moment] = lose_line
    with pytest.raises((SignerError, ReplyLostError, UnchangedError)):
        await change_pin(enrolled, world)
    world.vault.hooks.clear()
    assert (await sign(enrolled, world, request_id, PIN)).signatures == 1
    await change_pin(enrolled, world)
    assert enrolled.shares.load().share.generation == 1


async def test_answer_to_row_9_lost_is_found_out_by_the_first_use(enrolled, world, request_id):
    world.vault.hooks["enrolled"] = lose_line
    await change_pin(enrolled, world)
    assert not enrolled.shares.has_next()
    assert (await sign(enrolled, world, request_id, NEW)).signatures == 1


async def test_first_use_lost_leaves_the_next_signature_to_erase(enrolled, world, request_id):
    await make(enrolled, world)
    for moment in ("step4", "step5"):
        world.vault.hooks = {moment: lose_line}
        with pytest.raises((SignerError, ReplyLostError)):
            await transfer.use_first(enrolled, world.signer, b"photo", NEW)
    world.vault.hooks.clear()
    assert enrolled.shares.has_next()
    assert (await sign(enrolled, world, request_id, NEW)).signatures == 1
    assert not enrolled.shares.has_next()


@pytest.mark.parametrize("moment", ["step6", "step7"])
async def test_first_use_whose_answer_was_lost_is_no_copy(enrolled, world, request_id, moment):
    await make(enrolled, world)
    world.vault.hooks = {moment: lose_line}
    with suppress(ReplyLostError):  # at step 7 the phone has its answer
        await transfer.use_first(enrolled, world.signer, b"photo", NEW)
    world.vault.hooks.clear()
    assert (await sign(enrolled, world, request_id, NEW)).signatures == 1
    assert only_key(world).status == "active"


async def test_new_pin_is_not_tried_on_the_old_share(enrolled, world):
    world.vault.hooks["row9"] = lose_line
    await make(enrolled, world)  # the answer is lost, so is row 9
    world.vault.hooks.clear()
    with pytest.raises(UnchangedError):
        await transfer.use_first(enrolled, world.signer, b"photo", NEW)
    assert only_key(world).failed == 0


@pytest.mark.parametrize("write", ["replace", "add_next", "erase_old"])
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
async def test_power_cut_at_each_write_leaves_a_usable_phone(
    enrolled, world, request_id, monkeypatch, write, is_done
):
    original = getattr(ShareStore, write)

    def cut(self, *arguments):
        if is_done:
            original(self, *arguments)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, write, cut)
        with pytest.raises(PowerCut):
            await change_pin(enrolled, world)
    pin = NEW if len(only_key(world).generations) == 2 else PIN
    assert (await sign(enrolled, world, request_id, pin)).signatures == 1
    assert only_key(world).status == "active"


async def test_power_cut_between_the_new_epoch_and_the_erasure(
    enrolled, world, request_id, monkeypatch
):
    await make(enrolled, world)
    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, "erase_old", die)
        with pytest.raises(PowerCut):
            await transfer.use_first(enrolled, world.signer, b"photo", NEW)
    assert enrolled.shares.has_next()
    assert (await sign(enrolled, world, request_id, NEW)).signatures == 1
    assert not enrolled.shares.has_next()


async def test_next_share_is_on_disk_before_row_9(enrolled, world):
    on_disk = []
    world.vault.hooks["row9"] = lambda _: on_disk.append(enrolled.shares.has_next())
    await make(enrolled, world)
    assert on_disk == [True]


async def test_full_disk_before_row_9_changes_nothing(enrolled, world, request_id, monkeypatch):
    def full(self, share):
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, "add_next", full)
        with pytest.raises(StorageError):
            await make(enrolled, world)
    assert len(only_key(world).generations) == 1
    assert (await sign(enrolled, world, request_id, PIN)).signatures == 1


async def test_change_after_a_change_that_broke_off_goes_on_from_the_newest(enrolled, world):
    await make(enrolled, world)  # the vault has both, the first use never came
    await change_pin(enrolled, world, NEW, "71935")
    assert enrolled.shares.load().share.generation == 2
    assert [g.share.generation for g in only_key(world).generations] == [2]


async def test_unknown_generation_never_drops_the_last_share(enrolled, world, request_id):
    def unknown(_):
        raise UnknownGenerationError("unknown")

    world.vault.hooks["step4"] = unknown
    with pytest.raises(UnknownGenerationError):
        await sign(enrolled, world, request_id)
    world.vault.hooks.clear()
    assert (await sign(enrolled, world, request_id)).signatures == 1


async def test_relay_that_says_unknown_generation_drops_nothing(enrolled, world, request_id):
    await make(enrolled, world)

    def say(direction, data):
        raise UnknownGenerationError("drop your file")

    world.signer.tap = say
    with pytest.raises((UnavailableError, ProtocolAbortError)):
        await sign(enrolled, world, request_id, NEW)
    assert enrolled.shares.has_next()


async def test_flipped_row_of_a_transfer_stores_nothing(enrolled, world):
    def flip(message):
        return dataclasses.replace(message, check_point=message.check_point[:-1] + b"\1")

    world.vault.hooks["row8"] = flip
    with pytest.raises(ProtocolAbortError):
        await make(enrolled, world)
    assert not enrolled.shares.has_next()
