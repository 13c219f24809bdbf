import errno
import os
import stat

import pytest

from mobile_share import files
from mobile_share.errors import StorageError
from mobile_share.files import make_private_folder, read_file, write_durably


def test_file_is_private_and_whole(tmp_path):
    path = tmp_path / "file"
    write_durably(path, b"old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_folder_is_private(tmp_path):
    make_private_folder(tmp_path / "a" / "phone")
    assert stat.S_IMODE((tmp_path / "a" / "phone").stat().st_mode) == 0o700


def test_content_is_synced_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    events = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        events.append("sync folder" if is_folder else "sync file")
        real_sync(descriptor)

    def replace(self, target):
        events.append("rename")
        real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(type(tmp_path), "replace", replace)
    write_durably(tmp_path / "file", b"x")
    assert events == ["sync file", "rename", "sync folder"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")],
)
def test_full_disk_and_read_only_folder_leave_the_old_file(tmp_path, monkeypatch, number, sentence):
    path = tmp_path / "file"
    write_durably(path, b"old")

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=sentence):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_path_through_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "phone"):
        with pytest.raises(StorageError, match="is a file, not a folder"):
            make_private_folder(path)


def test_missing_file_is_none_and_an_unreadable_one_an_error(tmp_path):
    assert read_file(tmp_path / "none") is None
    with pytest.raises(StorageError):
        read_file(tmp_path)


def test_unknown_trouble_names_no_path(tmp_path):
    error = files.storage_error(OSError(errno.EIO, "Input/output error", str(tmp_path)))
    assert str(error) == "a file cannot be read or written (Input/output error)"
