"""Every record moves to a new KEK while keys sign; afterwards the old KEK is worth nothing."""

import asyncio

import pytest

from hsm_module.admin.rotation import Rotation
from hsm_module.storage.records import Records
from hsm_module.token import keys as objects
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.port import KekId
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.vault import MAX_BATCH
from signer_core.errors import InvalidRequestError, NotFoundError
from tests.fakes.vault_world import VaultWorld

WHY = Grounds(Reason.SCHEDULED)


@pytest.fixture
def rotation(world) -> Rotation:
    return Rotation(world.vault.context, world.token, settle_s=0)


async def move_all(rotation: Rotation) -> int:
    moved, after = 0, b""
    while True:
        done = await rotation.rewrap(after, MAX_BATCH)
        moved, after = moved + done.records, done.after
        if not after:
            return moved


async def sign(world, phone) -> None:
    await world.signing(phone, await world.request(phone)).run()


@pytest.mark.causes("kek")
async def test_every_record_moves_and_every_key_signs(world, rotation):
    certified, bare = await world.citizen(), await world.enrol()
    renewed = await world.refresh(certified)  # two generations beside each other
    before = (await rotation.status()).records
    assert before == {"kek-1": 7}  # 3 shares, 3 pairs of epoch keys, 1 certificate
    assert await rotation.start(WHY) == "kek-2"
    event = await world.row("outbox", event="kek")
    assert (event["result"], event["reason"], event["subject"]) == ("ordered", "scheduled", "kek-2")
    assert await move_all(rotation) == sum(before.values())
    assert (await rotation.status()).records == {"kek-1": 0, "kek-2": sum(before.values())}
    await sign(world, renewed)
    bare_row = await world.row("keys", key_id=bare.key_id)
    assert bare_row["kek_id"] == "kek-2"


async def test_starting_again_goes_on_and_makes_no_third_kek(world, rotation):
    await world.citizen()
    assert await rotation.start(WHY) == "kek-2"
    assert await rotation.start(WHY) == "kek-2"
    await move_all(rotation)
    assert await rotation.start(WHY) == "kek-3"


async def test_a_key_enrolled_meanwhile_is_under_the_new_kek(world, rotation):
    await world.citizen()
    await rotation.start(WHY)
    phone = await world.citizen()
    assert (await world.row("keys", key_id=phone.key_id))["kek_id"] == "kek-2"
    await sign(world, phone)


async def test_a_session_that_began_before_the_rotation_ends_after_it(world, rotation):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    await rotation.start(WHY)
    await move_all(rotation)
    await session.sign()
    row = await world.row("keys", key_id=phone.key_id)
    share = await world.row("share_records", key_id=phone.key_id)
    assert (row["kek_id"], share["kek_id"]) == ("kek-2", "kek-2")
    await sign(world, phone)  # its share is still the one that its row names


async def test_a_lost_reply_across_a_rotation_is_no_clone(world, rotation):
    """The previous epoch key moves, too."""
    phone = await world.citizen()
    await sign(world, phone)
    row = await world.row("keys", key_id=phone.key_id)
    assert row["previous_epoch_key"] is not None
    await rotation.start(WHY)
    await move_all(rotation)
    records = Records(world.token)
    moved = await world.row("keys", key_id=phone.key_id)
    for column in ("epoch_key", "previous_epoch_key"):
        assert moved[column] != row[column]
        sealed = (moved["kek_id"], moved[column])
        assert len(await records.unwrap("epoch-key", phone.key_id, 0, sealed)) == 32


async def test_keys_sign_all_the_while(world, rotation):
    phones = [await world.citizen() for _ in range(3)]
    await rotation.start(WHY)
    moving = asyncio.create_task(move_all(rotation))
    await asyncio.gather(*(sign(world, phone) for phone in phones))
    await moving
    await move_all(rotation)
    assert (await rotation.status()).records["kek-1"] == 0
    for phone in phones:
        await sign(world, phone)


async def test_a_key_that_signs_meanwhile_is_left_to_the_next_pass(world, rotation, monkeypatch):
    phone = await world.citizen()
    await rotation.start(WHY)
    rewrapped = Rotation._rewrap

    async def slow(self, moves, newest):
        moved = await rewrapped(self, moves, newest)
        await sign(world, phone)
        return moved

    with monkeypatch.context() as patch:
        patch.setattr(Rotation, "_rewrap", slow)
        done = await rotation.rewrap(b"", MAX_BATCH)
    assert (done.records, done.altered) == (0, 0)
    assert "row-altered" not in {event for event, _ in await world.events(phone)}
    await move_all(rotation)
    await sign(world, phone)


@pytest.mark.parametrize("what", ["the row", "the share", "the certificate"])
async def test_what_was_altered_stays_where_it_is_and_holds_up_nobody(world, rotation, what):
    altered, good = await world.citizen(), await world.citizen()
    other = await world.row("share_records", key_id=good.key_id)
    match what:
        case "the row":
            await world.edit("keys", {"signatures": 7}, key_id=altered.key_id)
        case "the share":
            await world.edit("share_records", {"blob": other["blob"]}, key_id=altered.key_id)
        case _:
            theirs = await world.row("certificates", key_id=good.key_id)
            await world.edit("certificates", {"blob": theirs["blob"]}, key_id=altered.key_id)
    await rotation.start(WHY)
    done = await rotation.rewrap(b"", MAX_BATCH)
    assert done.altered == 1
    assert (await world.row("keys", key_id=good.key_id))["kek_id"] == "kek-2"
    assert (await world.row("keys", key_id=altered.key_id))["kek_id"] == "kek-1"
    await sign(world, good)


async def test_a_share_put_back_from_before_is_not_moved(world, rotation):
    """It opens under the old KEK; only the hash in the key's row tells that it is not the one."""
    phone = await world.citizen()
    record = await world.row("share_records", key_id=phone.key_id)
    await world.token.make_kek(KekId("kek-2"))
    records = Records(world.token, KekId("kek-1"))
    plain = await records.unwrap("share", phone.key_id, 0, ("kek-1", record["blob"]))
    forged = await records.wrap("share", phone.key_id, 0, plain)
    await world.edit("share_records", {"blob": forged}, key_id=phone.key_id)
    assert (await rotation.rewrap(b"", MAX_BATCH)).altered == 1


@pytest.mark.causes("kek")
async def test_an_old_kek_is_destroyed_when_no_record_is_under_it(world, rotation):
    phone = await world.citizen()
    for wrong in ("kek-1", "kek-2", "state-mac", ""):
        with pytest.raises(InvalidRequestError):
            await rotation.destroy(wrong, WHY)
    await rotation.start(WHY)
    with pytest.raises(InvalidRequestError, match="3 records are under kek-1: kek rotate --resume"):
        await rotation.destroy("kek-1", WHY)
    await move_all(rotation)
    assert (await rotation.status()).records == {"kek-1": 0, "kek-2": 3}
    for _ in range(2):  # what died in between is repeated
        await rotation.destroy("kek-1", WHY)
        assert (await rotation.status()).records == {"kek-2": 3}
    event = await world.row("outbox", event="kek", result="destroyed")
    assert (event["reason"], event["subject"]) == ("scheduled", "kek-1")
    with pytest.raises(NotFoundError):
        await world.token.wrap(KekId("kek-1"), b"record", b"aad")
    await sign(world, phone)
    assert await rotation.start(WHY) == "kek-3"


async def test_a_record_that_came_under_it_at_the_last_moment_keeps_an_old_kek(world, rotation):
    """By a process that had wrapped it before the KEK was taken out of use."""
    phone = await world.citizen()
    await rotation.start(WHY)
    before = await world.row("certificates", key_id=phone.key_id)
    await move_all(rotation)
    unpin = world.token.unpin

    async def and_store(label):
        await unpin(label)
        old = {"kek_id": before["kek_id"], "blob": before["blob"]}
        await world.edit("certificates", old, key_id=phone.key_id)

    world.token.unpin = and_store
    with pytest.raises(InvalidRequestError, match="1 records are under kek-1"):
        await rotation.destroy("kek-1", WHY)
    assert await move_all(rotation) == 3  # with its neighbours: so it opens still
    world.token.unpin = unpin
    await rotation.destroy("kek-1", WHY)


async def test_a_batch_has_bounds(rotation):
    for wrong in (0, MAX_BATCH + 1):
        with pytest.raises(InvalidRequestError):
            await rotation.rewrap(b"", wrong)


async def open_with_one_kek(soft_token, tmp_path):
    path = tmp_path / "token-manifest.json"
    keys = {name: key for name, key in soft_token.manifest.keys.items() if name != "kek-2"}
    manifest = Manifest(token_label=soft_token.manifest.token_label, keys=keys)
    with open_token(soft_token.site, soft_token.pin, writable=True) as session:
        objects.discard_key(session._session, "kek-2")
    path.write_text(manifest.model_dump_json())
    return await HsmToken.open(soft_token.site, soft_token.pin, manifest, path), path


@pytest.mark.softhsm
async def test_with_the_old_kek_destroyed_every_key_still_signs(soft_token, tmp_path):
    """In a scratch copy of the token: nothing that is needed is under the old KEK any more."""
    token, path = await open_with_one_kek(soft_token, tmp_path)
    world = VaultWorld(token, f"sqlite+aiosqlite:///{tmp_path}/vault.db")
    await world.start()
    phones = [await world.citizen() for _ in range(3)]
    phones[0] = await world.refresh(phones[0])
    rotation = Rotation(world.vault.context, token)
    assert await rotation.start(WHY) == "kek-2"
    await move_all(rotation)
    await token.close()

    scratch = soft_token.copy_to(tmp_path / "scratch")
    with open_token(scratch.site, scratch.pin, writable=True) as session:
        objects.discard_key(session._session, "kek-1")
    full = Manifest.model_validate_json(path.read_bytes())
    left = {name: key for name, key in full.keys.items() if name != "kek-1"}
    without = full.model_copy(update={"keys": left})
    token = await HsmToken.open(scratch.site, scratch.pin, without)
    try:
        world.token = token
        world.vault = world.make_process("after")
        for phone in phones:
            await sign(world, phone)
    finally:
        await world.stop()
        await token.close()
