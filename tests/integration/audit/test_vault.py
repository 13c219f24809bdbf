"""The vault's part: events until they are fetched, trees that only grow, a bound."""

import pytest

from hsm_module.audit.backlog import BacklogWatch
from hsm_module.audit.office import AuditOffice
from hsm_module.audit.watching import audited, record_failure
from hsm_module.storage import audit
from signer_core.audit.checkpoint import verify_checkpoint
from signer_core.audit.merkle import Frontier, leaf_hash
from signer_core.audit.provenance import Actor, acting
from signer_core.audit.space import ENOUGH_BYTES, LOW_BYTES, SpaceWatch
from signer_core.errors import InvalidRequestError, UnavailableError, VerificationError
from tests.fakes.vault_phone import PhoneTransfer
from tests.fakes.vault_world import VAULT


@pytest.fixture
def office(world):
    return AuditOffice(VAULT, world.vault.context.store, world.token)


def tree(*leaves):
    return Frontier().extended(map(leaf_hash, leaves))


@pytest.mark.causes(
    *("device-certificate", "key-enrolled", "certificate", "request", "sign", "refresh"),
    *("pin-change", "suspend-code", "key-suspended", "notify-owner", "certificate-hold"),
)
async def test_the_life_of_a_key_is_told_with_who_and_from_where(world, office):
    with acting(Actor("phone", "ab" * 32), "192.0.2.1"):
        phone = await world.refresh(await world.citizen())
        await world.signing(phone, await world.request(phone)).run()
        changed = await PhoneTransfer(await world.proved(phone, use="pin-change")).run()
        await world.vault.keys.set_suspend_code(changed.key_id, bytes(32))
        await world.vault.keys.suspend_by_code(bytes(32))
    events = await office.fetch(100)
    about = [one for one in events if one.key_id == phone.key_id]
    assert {one.source for one in about} == {"192.0.2.1"}
    assert {one.actor_kind for one in about} == {"phone"}
    (suspended,) = [one for one in about if one.event == "key-suspended"]
    assert (suspended.result, suspended.reason) == ("suspended", "code")


async def test_events_wait_until_they_are_acknowledged(world, office):
    await world.citizen()
    events = await office.fetch(1000)
    assert [one.event_id for one in await office.fetch(3)] == [one.event_id for one in events[:3]]
    for _ in range(2):
        await office.acknowledge([one.event_id for one in events[:-1]])
    assert await office.fetch(1000) == events[-1:]


async def test_what_was_fetched_stays_a_week_to_compare(world, office):
    await world.citizen()
    events = await office.fetch(1000)
    await office.acknowledge([one.event_id for one in events])
    assert (await world.row("outbox", event_id=events[0].event_id))["event"] == events[0].event
    world.clock.ahead_s = 8 * 24 * 3600
    await office.acknowledge([])
    async with world.engines[0].connect() as connection:
        left = await connection.exec_driver_sql("SELECT count(*) FROM outbox")
        assert left.scalar_one() == 0


async def test_an_acknowledgement_drops_no_more_than_it_looks_at(world, office, monkeypatch):
    monkeypatch.setattr(audit, "_LOOKED_AT", 1)
    await world.citizen()
    events = await office.fetch(1000)
    await office.acknowledge([one.event_id for one in events])
    world.clock.ahead_s = 8 * 24 * 3600
    for left in range(len(events) - 1, -1, -1):
        await office.acknowledge([])
        async with world.engines[0].connect() as connection:
            kept = await connection.exec_driver_sql("SELECT count(*) FROM outbox")
            assert kept.scalar_one() == left


async def test_a_tree_that_grows_is_signed_again_and_again(world, office):
    key = await world.token.public_key("audit-log")
    first, second = tree(b"a"), tree(b"a", b"b")
    note = await office.sign_checkpoint(1, first.root(), ())
    assert verify_checkpoint(note, key).root == first.root()
    note = await office.sign_checkpoint(2, second.root(), (leaf_hash(b"b"),))
    assert verify_checkpoint(note, key).size == 2
    assert await office.head_size() == 2
    await office.sign_checkpoint(2, second.root(), ())


@pytest.mark.causes("audit-tree")
@pytest.mark.parametrize("what", ["another past", "smaller", "same size", "empty"])
async def test_a_tree_that_is_not_the_same_one_is_refused_and_told(world, office, what):
    await office.sign_checkpoint(2, tree(b"a", b"b").root(), ())
    asked = {
        "another past": (3, tree(b"x", b"b", b"c").root(), (leaf_hash(b"c"),)),
        "smaller": (1, tree(b"a").root(), ()),
        "same size": (2, tree(b"a", b"x").root(), ()),
        "empty": (0, tree().root(), ()),
    }[what]
    with pytest.raises(VerificationError):
        await office.sign_checkpoint(*asked)
    assert await office.head_size() == 2
    assert [one.event for one in await office.fetch(10)] == ["audit-tree"]


@pytest.mark.parametrize("changes", [{"size": 1}, {"root": bytes(32)}, {"row_version": 9}])
async def test_an_edited_head_signs_nothing(world, office, changes):
    await office.sign_checkpoint(2, tree(b"a", b"b").root(), ())
    row = await world.row("audit_heads")
    await world.edit("audit_heads", changes, id=row["id"])
    with pytest.raises(VerificationError):
        await office.sign_checkpoint(3, tree(b"a", b"b", b"c").root(), (leaf_hash(b"c"),))


async def test_a_head_that_was_put_back_signs_nothing(world, office):
    await office.sign_checkpoint(1, tree(b"a").root(), ())
    old = await world.row("audit_heads")
    await office.sign_checkpoint(2, tree(b"a", b"b").root(), (leaf_hash(b"b"),))
    await world.edit("audit_heads", old, id=old["id"])
    with pytest.raises(VerificationError):
        await office.sign_checkpoint(2, tree(b"a", b"x").root(), (leaf_hash(b"x"),))


async def test_sizes_that_are_no_hashes_are_refused(office):
    with pytest.raises(InvalidRequestError):
        await office.sign_checkpoint(1, b"short", ())
    with pytest.raises(InvalidRequestError):
        await office.sign_checkpoint(1, bytes(32), [bytes(32)] * 65)
    for limit in (0, 1025):
        with pytest.raises(InvalidRequestError):
            await office.fetch(limit)


@pytest.mark.causes("audit-outbox")
async def test_beyond_the_bound_nothing_is_judged_until_events_are_fetched(world, office):
    phone = await world.citizen()
    ask = await world.request(phone)
    store = world.vault.context.store
    watch = BacklogWatch(store, bound=2)
    await watch.look()
    with pytest.raises(UnavailableError, match="audit log"):
        await world.signing(phone, ask).run()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0
    await office.acknowledge([one.event_id for one in await office.fetch(1000)])
    await watch.look()
    await world.signing(phone, ask).run()
    results = [one.result for one in await office.fetch(10) if one.event == "audit-outbox"]
    assert results == ["resumed"]


@pytest.mark.causes("process-started", "process-stopped", "self-test")
async def test_the_vault_tells_of_itself(world, office):
    store = world.vault.context.store
    async with audited(store, world.url):
        await record_failure(store)
    events = [(one.event, one.result) for one in await office.fetch(10)]
    assert events == [
        ("process-started", "serving"),
        ("self-test", "failed"),
        ("process-stopped", "stopped"),
    ]


@pytest.mark.causes("audit-space")
async def test_a_filling_disk_is_told_once_and_that_there_is_room_again(world, office, tmp_path):
    room = [LOW_BYTES]
    store = world.vault.context.store
    watch = SpaceWatch({"database": tmp_path}, store.record, lambda _: room[0])
    for now in (LOW_BYTES, LOW_BYTES - 1, LOW_BYTES - 2, LOW_BYTES + 1, ENOUGH_BYTES, ENOUGH_BYTES):
        room[0] = now
        await watch.look()
    assert [one.result for one in await office.fetch(10)] == ["low", "enough"]
