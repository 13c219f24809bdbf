"""The phone dies, or its network, between any two moments; a lost reply is no copy (§3, §5)."""

import pytest

from mobile_share import enrolment, signing
from mobile_share.errors import (
    FolderInUseError,
    ReplyLostError,
    StorageError,
    UnansweredSessionsError,
)
from mobile_share.share_file import ShareStatus, ShareStore
from signer_core.errors import DeniedError, NotFoundError, ProtocolAbortError, UnavailableError
from tests.fakes.citizen import NOW
from tests.fakes.phone_fixtures import PIN, enrol, sign
from tests.fakes.phone_world import CODE


class PowerCut(BaseException):
    """Nothing after it runs, as nothing catches it."""


@pytest.fixture
async def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate())


def cut_line(world):
    """Let nothing through any more, in either direction."""

    def fail(direction, data):
        raise UnavailableError("gone")

    world.signer.tap = fail


def restore_line(world):
    world.signer.tap = lambda direction, data: data
    world.vault.hooks.clear()


async def test_session_is_pending_on_disk_before_step_5_is_sent(enrolled, world, request_id):
    on_disk = []

    def look(_):
        on_disk.append(enrolled.shares.load().pending)

    world.vault.hooks["step4"] = look
    world.vault.hooks["step5"] = look
    await sign(enrolled, world, request_id)
    before, after = on_disk
    assert (len(before), len(after)) == (0, 1)


async def test_pending_that_cannot_be_stored_sends_no_step_5(
    enrolled, world, request_id, monkeypatch
):
    def full(self, share):
        raise StorageError("the disk is full")

    monkeypatch.setattr(ShareStore, "replace", full)
    with pytest.raises(StorageError):
        await sign(enrolled, world, request_id)
    (key,) = world.vault.keys.values()
    assert key.failed == 0
    assert request_id not in world.vault.results


async def test_crash_before_the_pending_write_costs_nothing(
    enrolled, world, request_id, monkeypatch
):
    def die(self, share):
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, "replace", die)
        with pytest.raises(PowerCut):
            await sign(enrolled, world, request_id)
    assert (await sign(enrolled, world, request_id)).signatures == 1


async def test_crash_after_the_pending_write_costs_nothing(
    enrolled, world, request_id, monkeypatch
):
    written = ShareStore.replace

    def write_and_die(self, share):
        written(self, share)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, "replace", write_and_die)
        with pytest.raises(PowerCut):
            await sign(enrolled, world, request_id)
    assert len(enrolled.shares.load().pending) == 1
    assert (await sign(enrolled, world, request_id)).signatures == 1
    assert enrolled.shares.load().pending == ()


async def test_lost_reply_is_asked_for_and_the_next_session_goes_on(enrolled, world, request_id):
    world.vault.hooks["step6"] = lambda _: cut_line(world)
    outcome = await sign(enrolled, world, request_id)
    assert not outcome.is_confirmed
    stored = enrolled.shares.load()
    assert (stored.epoch, len(stored.pending)) == (1, 1)
    restore_line(world)
    following = world.signer.ask(enrolled.certificate())
    assert (await sign(enrolled, world, following)).is_confirmed
    assert enrolled.shares.load().pending == ()


async def test_line_lost_before_the_vault_judged_is_no_success(enrolled, world, request_id):
    def cut(_):
        cut_line(world)
        raise UnavailableError("the vault died")

    world.vault.hooks["step5"] = cut
    with pytest.raises(ReplyLostError):
        await sign(enrolled, world, request_id)
    restore_line(world)
    assert (await sign(enrolled, world, request_id)).is_confirmed


async def test_crash_between_the_signature_and_the_epoch_write_is_a_lost_reply(
    enrolled, world, request_id, monkeypatch
):
    written = ShareStore.replace

    def die_at_epoch(self, share):
        if share.epoch == 2:
            raise PowerCut
        written(self, share)

    with monkeypatch.context() as patch:
        patch.setattr(ShareStore, "replace", die_at_epoch)
        with pytest.raises(PowerCut):
            await sign(enrolled, world, request_id)
    following = world.signer.ask(enrolled.certificate())
    assert (await sign(enrolled, world, following)).is_confirmed


async def test_epoch_is_on_disk_before_the_ack(enrolled, world, request_id):
    seen = []
    world.vault.hooks["step7"] = lambda _: seen.append(enrolled.shares.load().epoch)
    await sign(enrolled, world, request_id)
    assert seen == [2]


async def test_lost_ack_is_a_success_and_the_next_session_goes_on(enrolled, world, request_id):
    def lose(_):
        cut_line(world)

    world.vault.hooks["step7"] = lose
    assert (await sign(enrolled, world, request_id)).is_confirmed
    restore_line(world)
    following = world.signer.ask(enrolled.certificate())
    assert (await sign(enrolled, world, following)).is_confirmed


async def test_copy_of_the_folder_is_found_after_the_original_signed(enrolled, world, request_id):
    copied = (enrolled.folder / "share").read_bytes()
    await sign(enrolled, world, request_id)
    (enrolled.folder / "share").write_bytes(copied)
    following = world.signer.ask(enrolled.certificate())
    with pytest.raises(DeniedError, match="copy"):
        await sign(enrolled, world, following)


async def test_unanswered_sessions_stop_before_they_look_like_a_copy(enrolled, world, request_id):
    store = enrolled.shares
    stored = store.load()
    for number in range(64):
        stored = stored.with_pending(bytes([number]) * 32)
    store.replace(stored)
    with pytest.raises(UnansweredSessionsError):
        await sign(enrolled, world, request_id)


async def test_two_sessions_of_a_folder_never_run_at_once(enrolled, world, request_id):
    """Each would store its own list of pending sessions over the other's."""
    request = await signing.fetch_request(enrolled, world.signer, request_id, NOW)
    async with signing.prepare(enrolled, world.signer, request, b"photo"):
        with pytest.raises(FolderInUseError):
            await sign(enrolled, world, request_id)


async def test_share_is_on_disk_before_row_9(phone, world):
    seen = []
    world.vault.hooks["row9"] = lambda _: seen.append(phone.shares.load().status)
    await enrol(phone, world)
    assert seen == [ShareStatus.ACTIVE]


async def test_share_that_cannot_be_stored_makes_no_key(phone, world, monkeypatch):
    def full(self, share):
        raise StorageError("the disk is full")

    monkeypatch.setattr(ShareStore, "create", full)
    with pytest.raises(StorageError):
        await enrol(phone, world)
    assert world.vault.keys == {}


async def interrupted(phone, world, moment):
    def cut(_):
        cut_line(world)
        raise UnavailableError("gone")

    world.vault.hooks[moment] = cut
    with pytest.raises((UnavailableError, ProtocolAbortError)):
        await enrol(phone, world)
    restore_line(world)


async def test_enrolment_goes_on_where_only_the_answer_was_lost(phone, world):
    await interrupted(phone, world, "enrolled")
    assert phone.has_share
    begun = await enrolment.resume(phone, world.signer, b"photo")
    certificate = await enrolment.certify(phone, world.signer, begun, PIN, NOW)
    assert phone.certificate() == certificate


async def test_enrolment_begins_again_where_the_vault_never_finished(phone, world):
    await interrupted(phone, world, "row9")
    assert phone.has_share
    begun = await enrolment.resume(phone, world.signer, b"photo")
    with pytest.raises(ProtocolAbortError, match="enrol again"):
        await enrolment.certify(phone, world.signer, begun, PIN, NOW)
    assert not phone.has_share
    await enrol(phone, world)
    assert phone.is_enrolled


async def test_signer_alone_cannot_make_the_phone_drop_its_share(phone, world):
    begun = await enrolment.begin(phone, world.signer, CODE, b"photo", NOW)
    await enrolment.make_shares(phone, world.signer, begun.grant, PIN)

    def fail(direction, data):

        raise NotFoundError("no such key")

    world.signer.tap = fail
    with pytest.raises(UnavailableError):
        await enrolment.certify(phone, world.signer, begun, PIN, NOW)
    assert phone.has_share


async def test_certificate_whose_answer_was_lost_is_fetched_again(phone, world):
    world.vault.hooks["step6"] = lambda _: cut_line(world)
    with pytest.raises(ReplyLostError):
        await enrol(phone, world)
    restore_line(world)
    begun = await enrolment.resume(phone, world.signer, b"photo")
    await enrolment.certify(phone, world.signer, begun, "no PIN is asked", NOW)
    assert phone.is_enrolled
    request_id = world.signer.ask(phone.certificate())
    assert (await sign(phone, world, request_id)).is_confirmed
