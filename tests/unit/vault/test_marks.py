"""The file of high-water marks: appending, following, compacting, damage (spec §7)."""

import asyncio
import os

import pytest

from hsm_module.marks import file as marks_file
from hsm_module.marks import watermarks
from hsm_module.marks.record import Mark, MarkKind, key_note, parse_mark, read_key_note
from hsm_module.marks.watermarks import HighWaterMarks
from signer_core.errors import UnavailableError, VerificationError

KEY = bytes(range(16))


def mark(version, key=KEY, kind=MarkKind.KEY, note=0):
    return Mark(kind, key, version, note)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "marks"


@pytest.fixture
def opened(path):
    made = []

    def open_marks(**options):
        made.append(HighWaterMarks(path, **options))
        return made[-1]

    yield open_marks
    for one in made:
        if one.file.descriptor >= 0:
            one.close()


def version_of(marks, key=KEY, kind=MarkKind.KEY):
    found = marks.begin().find(kind, key)
    return found and found.version


def test_a_record_is_read_as_it_was_written_and_not_when_changed():
    record = mark(7, note=key_note(dead=True, failed=3, lifetime_failed=300)).to_bytes()
    assert len(record) == 32
    assert read_key_note(parse_mark(record).note) == (True, 3, 255)
    for at in range(32):
        changed = record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]
        assert parse_mark(changed) is None


def test_marks_stay_over_a_restart(opened, path):
    first = opened()
    first.raise_to([mark(1), mark(5), mark(4)])
    first.close()
    assert version_of(opened()) == 5


def test_another_process_sees_a_mark_at_once(opened):
    one, other = opened(), opened()
    one.raise_to([mark(1)])
    other.raise_to([mark(2)])
    assert (version_of(one), version_of(other)) == (2, 2)


def test_a_mark_raised_after_a_transaction_began_is_not_held_against_it(opened):
    one, other = opened(), opened()
    one.raise_to([mark(1)])
    view = one.begin()
    other.raise_to([mark(2)])
    assert not view.is_rolled_back(mark(1))
    one.file.follow()
    assert not view.is_rolled_back(mark(1))
    assert one.begin().is_rolled_back(mark(1))


async def test_a_row_above_its_mark_raises_it(opened):
    marks = opened()
    view = marks.begin()
    assert not view.is_rolled_back(mark(9))
    assert version_of(marks) is None
    await view.raise_all(must_last=lambda _: False)
    assert version_of(marks) == 9


def test_compaction_keeps_the_highest_and_other_processes_follow(opened):
    one, other = opened(), opened()
    keys = [bytes([n]) * 16 for n in range(40)]
    for version in (1, 3, 2):
        one.raise_to([mark(version, key) for key in keys])
    number = one.file.head[0]
    one.file.compact(lambda _: True)
    other.raise_to([mark(2, keys[5]), mark(4, keys[6])])  # late, and new
    assert other.file.head[0] == number + 1
    for marks in (one, other, opened()):
        assert [version_of(marks, key) for key in keys[4:8]] == [3, 3, 4, 3]
        assert version_of(marks, b"x" * 16) is None
    one.file.compact(lambda _: True)
    assert version_of(other, keys[5]) == 3


def test_a_full_tail_is_compacted_by_whoever_appends(opened, monkeypatch):
    monkeypatch.setattr(marks_file, "COMPACT_BYTES", 320)
    marks = opened()
    for version in range(1, 100):
        marks.raise_to([mark(version)])
    assert version_of(marks) == 99
    assert os.fstat(marks.file.descriptor).st_size <= 13 * 32


def test_compaction_forgets_requests_long_expired_and_no_key(opened, monkeypatch):
    monkeypatch.setattr(marks_file, "COMPACT_BYTES", 0)
    marks = opened(now_s=lambda: 10_000_000)
    old = 10_000_000 - marks_file.SLACK_S
    marks.raise_to(
        [mark(1), *(mark(1, bytes([n]) * 16, MarkKind.REQUEST, old + n) for n in (0, 1))]
    )
    assert version_of(marks) == 1
    assert version_of(marks, bytes(16), MarkKind.REQUEST) is None
    assert version_of(marks, b"\x01" * 16, MarkKind.REQUEST) == 1


@pytest.mark.parametrize("torn", [b"\x01", bytes(32), bytes(45)])
def test_what_a_power_cut_left_at_the_end_is_cut_off(opened, path, torn):
    first = opened()
    first.raise_to([mark(1)])
    first.close()
    with path.open("ab") as file:
        file.write(torn)
    again = opened()
    again.raise_to([mark(2)])
    assert version_of(again) == 2
    again.close()
    assert version_of(opened()) == 2


@pytest.mark.parametrize("at", [0, 32, 33, 60])
def test_a_damaged_file_is_refused(opened, path, at):
    first = opened()
    first.raise_to([mark(1), mark(2, b"x" * 16)])
    first.close()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(VerificationError):
        opened()


def test_a_sorted_part_cut_short_is_refused(opened, path):
    first = opened()
    first.raise_to([mark(1), mark(2, b"x" * 16)])
    first.file.compact(lambda _: True)
    first.close()
    path.write_bytes(path.read_bytes()[:-32])
    with pytest.raises(VerificationError):
        opened()


def test_marks_put_back_while_a_vault_runs_are_refused(opened, path):
    marks = opened()
    old = path.read_bytes()
    marks.raise_to([mark(1)])
    other = path.with_name("other")
    other.write_bytes(old)
    other.replace(path)
    with pytest.raises(VerificationError):
        marks.begin()


def test_marks_that_vanish_while_a_vault_runs_stop_it(opened, path):
    marks = opened()
    path.unlink()
    with pytest.raises(UnavailableError):
        marks.begin()


def test_a_restore_is_alone(opened):
    vault = opened()
    with pytest.raises(UnavailableError):
        opened(alone=True)
    vault.close()
    alone = opened(alone=True)
    with pytest.raises(UnavailableError):
        opened()
    alone.close()
    opened()


def test_a_disk_that_is_full_leaves_whole_records(opened, monkeypatch):
    marks = opened()
    marks.raise_to([mark(1)])
    written = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written(fd, data[:50]))
    with pytest.raises(UnavailableError):
        marks.raise_to([mark(2), mark(3)])
    monkeypatch.undo()
    assert version_of(marks) == 1
    marks.raise_to([mark(4)])
    assert version_of(marks) == 4


async def test_many_wait_for_one_sync(opened, monkeypatch):
    marks = opened()
    syncs = []
    monkeypatch.setattr(watermarks.os, "fdatasync", syncs.append)
    await marks.settle()
    assert syncs == []  # nothing to make durable

    async def raise_and_settle(version):
        marks.raise_to([mark(version)])
        await marks.settle()

    await asyncio.gather(*map(raise_and_settle, range(1, 50)))
    assert 1 <= len(syncs) <= 2


@pytest.mark.parametrize("lasting", [True, False])
async def test_only_what_must_last_waits_for_the_disk(opened, monkeypatch, lasting):
    marks = opened()
    syncs = []
    monkeypatch.setattr(watermarks.os, "fdatasync", syncs.append)
    view = marks.begin()
    view.note(mark(1))
    await view.raise_all(must_last=lambda _: lasting)
    assert len(syncs) == lasting
