"""A database put back, whole or by the row: refused, audited, restored by procedure (spec §7)."""

import asyncio

import pytest

from hsm_module.marks import watermarks
from signer_core.errors import (
    PinRejectedError,
    UnavailableError,
    VerificationError,
)
from signer_core.identifiers import RequestId
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_backup import backup, bring_back, delete


async def status(world, phone):
    return (await world.vault.keys.key_state(phone.key_id)).status


async def sign(world, phone, vault=None):
    await world.signing(phone, await world.request(phone), vault).run()


async def put_back(world, table, row, **where):
    changes = {column: value for column, value in row.items() if column not in where}
    await world.edit(table, changes, **where)


# --- one row -------------------------------------------------------------------------------------


@pytest.mark.causes("row-rolled-back")
async def test_a_key_rolled_back_to_win_tries_is_refused_and_audited(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("keys", key_id=phone.key_id)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    await put_back(world, "keys", before, key_id=phone.key_id)
    for _ in range(2):
        with pytest.raises(VerificationError):
            await world.signing(phone, ask).run()
    assert ("row-rolled-back", "keys") in await world.events(phone)
    assert await world.row("keys", key_id=phone.key_id) == before


async def test_a_rollback_is_seen_by_a_process_that_did_not_write_the_row(world):
    phone = await world.citizen()
    other = world.make_process("process-2")
    before = await world.row("keys", key_id=phone.key_id)
    await sign(world, phone)
    await put_back(world, "keys", before, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await other.keys.key_state(phone.key_id)
    with pytest.raises(VerificationError):
        await world.make_process("process-3").keys.key_state(phone.key_id)


async def test_a_rollback_between_step_4_and_step_5_is_refused(world):
    phone = await world.citizen()
    before = await world.row("keys", key_id=phone.key_id)
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    await put_back(world, "keys", before, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await session.sign()


async def test_a_deleted_key_is_found_and_not_made_again(world):
    phone = await world.enrol()  # a signed request of its own would be found first
    for table in ("share_records", "certificates", "requests", "keys"):
        await delete(world, table, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.key_state(phone.key_id)
    assert ("row-rolled-back", "keys") in await world.events(phone)
    await delete(world, "consumed_authorisations", key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await phone.enrol(world.connect(phone))


async def test_a_signed_request_rolled_back_is_not_signed_again(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("requests", request_id=ask.request_id)
    await world.signing(phone, ask).run()
    await put_back(world, "requests", before, request_id=ask.request_id)
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()
    with pytest.raises(VerificationError):
        await world.vault.requests.result(RequestId(ask.request_id))
    assert ("row-rolled-back", "requests") in await world.events(phone)


async def test_a_withdrawn_request_rolled_back_stays_withdrawn(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("requests", request_id=ask.request_id)
    await world.vault.requests.burn(RequestId(ask.request_id))
    await put_back(world, "requests", before, request_id=ask.request_id)
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()


async def test_a_signed_request_that_was_deleted_is_not_registered_again(world):
    phone = await world.citizen()
    registration = world.registration(phone)
    await world.vault.requests.register(registration)
    await world.signing(phone, await world.ask_for(phone, registration)).run()
    await delete(world, "requests", request_id=registration.request_id)
    for _ in range(2):
        with pytest.raises(VerificationError):
            await world.vault.requests.register(registration)
    with pytest.raises(VerificationError):
        await world.vault.requests.result(registration.request_id)


async def test_a_row_above_its_mark_raises_it(world):
    """The process died between its commit and the mark; the next one goes on."""
    phone = await world.citizen()
    before = await world.row("keys", key_id=phone.key_id)
    doomed = world.make_process("doomed")
    doomed.context.store._marks.raise_to = lambda marks: None
    ask = await world.request(phone)
    session = world.signing(phone, ask, doomed)
    with pytest.raises(PinRejectedError):
        await session.run(Scalar((phone.x2 + 1) % Q))
    await world.vault.keys.key_state(phone.key_id)
    await put_back(world, "keys", before, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.key_state(phone.key_id)


async def test_no_verdict_is_told_before_its_mark_is_durable(world, monkeypatch):
    phone = await world.citizen()
    ask = await world.request(phone)
    marks = world.vault.context.store._marks
    order = []
    settled, reply = marks.settle, world.vault.judgement._reject

    async def settle():
        await settled()
        order.append("durable" if marks._durable == marks._written else "not durable")

    async def reject(session):
        answer = await reply(session)
        order.append("verdict")
        return answer

    monkeypatch.setattr(marks, "settle", settle)
    monkeypatch.setattr(world.vault.judgement, "_reject", reject)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    assert order[-2:] == ["verdict", "durable"]


async def test_a_signature_costs_one_wait_for_the_marks(world, monkeypatch):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    syncs = []
    monkeypatch.setattr(watermarks.os, "fdatasync", syncs.append)
    await session.run()
    assert len(syncs) == 1


async def test_marks_that_cannot_be_written_release_no_verdict(world, monkeypatch):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()

    def full(marks):
        raise UnavailableError("full")

    monkeypatch.setattr(world.vault.context.store._marks, "raise_to", full)
    with pytest.raises(UnavailableError):
        await session.sign()
    monkeypatch.undo()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 1


async def test_readers_and_writers_side_by_side_raise_no_false_alarm(world):
    phone = await world.citizen()
    others = [world.make_process(f"process-{n}") for n in (2, 3)]
    stop = asyncio.Event()

    async def read(vault):
        while not stop.is_set():
            await vault.keys.key_state(phone.key_id)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read(vault)) for vault in others]
    for vault in (world.vault, *others, world.vault):
        await sign(world, phone, vault)
    stop.set()
    await asyncio.gather(*readers)
    assert not [e for e, _ in await world.events(phone) if e.startswith("row-")]


# --- the whole database, or the marks ------------------------------------------------------------


async def test_yesterdays_database_is_refused_at_the_start(world):
    store = world.vault.context.store
    await store.verify_marks()
    saved = await backup(world)
    await store.verify_marks()
    await bring_back(world, saved)
    with pytest.raises(VerificationError, match="database is older"):
        await world.make_process("next").context.store.verify_marks()


async def test_a_new_database_beside_old_marks_is_refused(world):
    await world.vault.context.store.verify_marks()
    await delete(world, "mark_heads")
    with pytest.raises(VerificationError, match="database is older"):
        await world.vault.context.store.verify_marks()


@pytest.mark.parametrize("how", ["gone", "older", "earlier number"])
async def test_old_marks_are_refused_at_the_start(world, how):
    path = world.folder / "high-water-marks"
    phone = await world.citizen()
    await world.vault.context.store.verify_marks()
    old = path.read_bytes()
    await sign(world, phone)
    if how == "earlier number":
        world.vault.context.store._marks.file.compact(lambda _: True)
    await world.vault.context.store.verify_marks()
    path.unlink()
    if how != "gone":
        path.write_bytes(old)
    with pytest.raises(VerificationError, match="marks are older"):
        await world.make_process("next").context.store.verify_marks()


@pytest.mark.causes("high-water-mark")
async def test_the_head_is_in_the_audit_log(world):
    await world.vault.context.store.verify_marks()
    assert (await world.row("outbox", event="high-water-mark"))["subject"].startswith("0:")


async def test_the_head_of_a_compacted_file_is_recorded_at_once(world):
    phone = await world.citizen()
    await world.vault.context.store.verify_marks()
    world.make_process("other").context.store._marks.file.compact(lambda _: True)
    await sign(world, phone)
    assert (await world.row("mark_heads"))["file_number"] == 1
    (world.folder / "high-water-marks").write_bytes(b"")
    with pytest.raises(VerificationError):
        world.make_process("next")
