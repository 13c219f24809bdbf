"""The log is kept: once each, in order, in both sinks, whatever dies when."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from signer_core.audit.alarms import BURST
from signer_core.audit.checkpoint import verify_checkpoint
from signer_core.audit.keeper import CHECKPOINT_S, MAX_WAIT_S, QUIET_S
from signer_core.audit.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from signer_core.errors import UnavailableError, VerificationError
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_log import BATCH
from signer_core.storage.signer.audit_tables import (
    audit_log,
    audit_nodes,
    audit_outbox,
    audit_tree,
    job_outbox,
    wrong_pins,
)
from tests.fakes.vault_audit import recorded

POINTS = ("appended", "acknowledged", "written", "signed")


class DiedError(Exception):
    """The process ended here."""


async def test_events_of_both_come_once_each_in_order_in_both_sinks(log):
    log.vault.events = [recorded() for _ in range(4)]
    await log.record(3)
    await log.keeper.step()
    rows = [json.loads(leaf) for leaf in await log.leaves()]
    assert [row["seq"] for row in rows] == list(range(7))
    assert [row["origin"] for row in rows] == ["signer"] * 3 + ["vault-1"] * 4
    assert [row["subject"] for row in rows[:3]] == ["0", "1", "2"]
    assert log.file_lines() == await log.leaves()
    assert len(log.vault.acknowledged) == 4
    assert await log.reading.waiting() == (0, 0)


async def test_the_root_is_that_of_the_leaves(log):
    for count in (3, 1, 7):
        await log.record(count)
        await log.keeper.step()
    tree = await log.reading.tree()
    assert tree.root() == Frontier().extended(map(leaf_hash, await log.leaves())).root()


async def test_what_is_delivered_twice_is_appended_once(log):
    log.vault.events = events = [recorded() for _ in range(3)]
    await log.keeper.step()
    log.vault.events = [*events, recorded()]
    await log.keeper.step()
    assert len(await log.leaves()) == 4


@pytest.mark.parametrize("point", POINTS)
async def test_death_at_any_point_loses_nothing_and_doubles_nothing(log, point):
    def die(reached):
        if reached == point:
            raise DiedError

    log.vault.events = [recorded() for _ in range(6)]
    ids = {one.event_id.hex() for one in log.vault.events}
    await log.record(6)
    log.restart(die)
    with pytest.raises(DiedError):
        await log.keeper.step()
    log.restart()
    await log.keeper.step()
    rows = [json.loads(leaf) for leaf in await log.leaves()]
    assert len(rows) == 12
    assert {row["event_id"] for row in rows if row["origin"] == "vault-1"} == ids
    assert log.file_lines() == await log.leaves()
    note = (await log.reading.newest_checkpoint()).note
    signed = verify_checkpoint(note, log.vault.key.public_key())
    assert (signed.size, signed.root) == (12, (await log.reading.tree()).root())


async def test_a_vault_that_is_away_does_not_hold_up_our_own_events(log):
    log.vault.away = True
    await log.record(2)
    await log.keeper.step()
    assert len(await log.leaves()) == 2


async def test_a_torn_line_is_cut_off_and_written_again(log):
    await log.record(7)
    await log.keeper.step()
    last = sorted(log.folder.glob("events-*.jsonl"))[-1]
    last.write_bytes(last.read_bytes()[:-9])
    log.restart()
    assert log.sink.next_seq == 6
    await log.keeper.step()
    assert log.file_lines() == await log.leaves()


@pytest.mark.causes("audit-sink")
async def test_a_file_that_cannot_be_written_is_told_and_caught_up(log, monkeypatch):
    await log.record(3)
    with monkeypatch.context() as patched:
        patched.setattr(log.sink, "append", refuse)
        await log.keeper.step()
        await log.keeper.step()
    assert len(await log.leaves()) == 4  # the database is still a sink
    await log.keeper.step()
    await log.keeper.step()
    results = [json.loads(leaf).get("result") for leaf in await log.leaves()]
    assert results == ["searched"] * 3 + ["failed", "resumed"]
    assert log.file_lines() == await log.leaves()


def refuse(*_):
    raise UnavailableError("the disk is full")


async def test_two_writers_of_one_folder_are_refused(log):
    with pytest.raises(UnavailableError, match="another process"):
        type(log.sink)(log.folder)


async def test_a_database_from_a_backup_gets_its_rows_back_from_the_file(log):
    await log.record(4)
    await log.keeper.step()
    before = await log.leaves()
    async with write_transaction(log.engine) as connection:  # the backup had two rows
        await connection.execute(delete(audit_log).where(audit_log.c.seq >= 2))
        tree = Frontier().extended(map(leaf_hash, before[:2]))
        edge = {"size": 2, "frontier": b"".join(tree.hashes)}
        await connection.execute(update(audit_tree).values(edge))
    log.restart()
    await log.record(1)
    await log.keeper.step()
    after = await log.leaves()
    assert after[:4] == before
    assert len(after) == 5
    await log.keeper.sign_now()


async def test_an_older_database_without_its_file_is_not_signed(log):
    await log.record(4)
    await log.keeper.step()
    async with write_transaction(log.engine) as connection:
        await connection.execute(delete(audit_log))
        await connection.execute(delete(audit_tree))
    for path in log.folder.glob("events-*.jsonl"):
        path.unlink()
    log.restart()
    await log.record(2)
    await log.keeper.step()
    with pytest.raises(VerificationError):
        await log.keeper.sign_now()


async def test_a_changed_past_is_not_signed(log):
    await log.record(4)
    await log.keeper.step()
    tree = Frontier().extended([leaf_hash(b"another past")] * 4)
    async with write_transaction(log.engine) as connection:
        edge = {"frontier": b"".join(tree.hashes)}
        await connection.execute(update(audit_tree).values(edge))
    await log.record(1)
    await log.keeper.step()
    with pytest.raises(VerificationError):
        await log.keeper.sign_now()


async def signed_size(log):
    newest = await log.reading.newest_checkpoint()
    return newest.size if newest else 0


async def test_the_tree_is_signed_once_a_minute_and_when_it_is_quiet(log):
    await log.record(2)
    await log.keeper.step()
    assert await signed_size(log) == 2  # a start signs at once
    await log.record(2)
    await log.keeper.step()
    assert await signed_size(log) == 2
    log.keeper._grown_at -= QUIET_S
    await log.keeper.step()
    assert await signed_size(log) == 4
    await log.record(1)
    await log.keeper.step()
    log.keeper._sign_again_at -= CHECKPOINT_S
    await log.keeper.step()
    assert await signed_size(log) == 5


async def test_the_end_of_the_log_is_signed_when_the_process_ends(log):
    await log.record(2)
    await log.keeper.step()
    log.vault.events = [recorded() for _ in range(BATCH + 1)]
    await log.record(3)
    await log.keeper.finish()
    assert len(await log.leaves()) == BATCH + 6
    assert await signed_size(log) == BATCH + 6


async def test_proofs_over_stored_nodes_verify(log):
    log.rows_a_file = 1000
    log.restart()
    for _ in range(2):
        log.vault.events = [recorded() for _ in range(400)]
        await log.keeper.step()
    tree = await log.reading.tree()
    hashes = [leaf_hash(leaf) for leaf in await log.leaves()]
    async with log.engine.connect() as connection:
        stored = (await connection.execute(select(audit_nodes.c.level))).scalars().all()
    assert list(stored) == [8] * 3
    for index in (0, 255, 256, 700, 799):
        proof = await log.reading.prove(lambda fetch, i=index: inclusion_proof(fetch, i, 800))
        verify_inclusion(hashes[index], index, 800, tree.root(), proof)
    old_root = Frontier().extended(hashes[:513]).root()
    proof = await log.reading.prove(lambda fetch: consistency_proof(fetch, 513, 800))
    verify_consistency(513, 800, old_root, tree.root(), proof)


async def test_events_that_cannot_get_in_stop_what_is_new(log, monkeypatch):
    gate = log.kept.gate
    await log.record(1)
    await log.keeper._judge_gate()
    gate.verify_open()
    log.ahead = timedelta(seconds=MAX_WAIT_S + 2)
    await log.keeper._judge_gate()
    with pytest.raises(UnavailableError, match="audit log"):
        gate.verify_open()
    await log.keeper.step()
    await log.keeper._judge_gate()
    gate.verify_open()


async def jobs(log):
    async with log.engine.connect() as connection:
        rows = await connection.execute(select(job_outbox.c.kind, job_outbox.c.body))
        return [(kind, json.loads(body)["event"]) for kind, body in rows]


async def test_what_needs_a_person_is_queued_with_the_row_and_once(log):
    altered = recorded("row-altered", "refused", reason="keys")
    log.vault.events = [recorded(), altered]
    await log.keeper.step()
    log.vault.events = [recorded("row-altered", "refused", reason="keys")]
    await log.keeper.step()
    assert await jobs(log) == [("alert.mail", "row-altered"), ("alert.webhook", "row-altered")]
    log.vault.events = [recorded("row-altered", "refused", reason="keys", at_s=altered.at_s + 601)]
    await log.keeper.step()
    assert len(await jobs(log)) == 4


@pytest.mark.causes("pin-burst")
async def test_a_burst_of_wrong_pins_shuts_its_source_out_for_a_while(log):
    wrong = [recorded("sign", "pin-rejected", source="198.51.100.7") for _ in range(BURST)]
    log.vault.events = [*wrong[:-1], recorded("sign", "pin-rejected", source="192.0.2.9")]
    await log.keeper.step()
    await log.keeper._judge_gate()
    assert log.kept.gate.blocked == frozenset()
    log.vault.events = wrong[-1:]
    await log.keeper.step()
    await log.keeper.step()
    await log.keeper._judge_gate()
    with pytest.raises(UnavailableError, match="wrong PINs"):
        log.kept.gate.verify_source("198.51.100.7")
    log.kept.gate.verify_source("192.0.2.9")
    assert ("alert.mail", "pin-burst") in await jobs(log)
    log.ahead = timedelta(minutes=16)
    await log.keeper._judge_gate()
    log.kept.gate.verify_source("198.51.100.7")


async def test_a_burst_is_counted_over_all_signers_and_restarts(log):
    wrong = [recorded("sign", "pin-rejected", source="198.51.100.7") for _ in range(BURST)]
    for one in wrong[:-1]:
        log.vault.events = [one]
        await log.keeper.step()
        log.restart()  # what a second signer, or the next start, knows is in the database
    await log.keeper._judge_gate()
    assert log.kept.gate.blocked == frozenset()
    log.vault.events = wrong[-1:]
    await log.keeper.step()
    await log.keeper._judge_gate()
    assert log.kept.gate.blocked == {"198.51.100.7"}
    async with log.engine.connect() as connection:  # the count begins anew
        assert (await connection.execute(select(wrong_pins))).all() == []


async def test_slow_wrong_pins_are_no_burst(log):
    now_s = recorded().at_s
    log.vault.events = [
        recorded("sign", "pin-rejected", at_s=now_s + place * 60) for place in range(BURST * 2)
    ]
    await log.keeper.step()
    await log.keeper._judge_gate()
    assert log.kept.gate.blocked == frozenset()


async def test_an_outbox_from_a_backup_is_not_appended_again(log):
    await log.record(2)
    async with log.engine.connect() as connection:
        rows = [dict(row) for row in (await connection.execute(select(audit_outbox))).mappings()]
    await log.keeper.step()
    async with write_transaction(log.engine) as connection:
        await connection.execute(audit_outbox.insert(), rows)
    await log.keeper.step()
    assert len(await log.leaves()) == 2
