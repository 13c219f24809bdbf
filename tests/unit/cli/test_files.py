"""Documents in and out of folders."""

import errno
import os
from pathlib import Path

import pytest

from portal_web.cli.files import check_folder, read_pdf, signed_name, write_all
from portal_web.cli.requests import parse_id
from portal_web.cli.running import FolderError
from signer_core.errors import InvalidRequestError, VerificationError


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "there is no file"),
        (b"hello", "is not a PDF"),
        (b"", "is not a PDF"),
        (b"%PDF-" + bytes(20 << 20), "larger than 20 MiB"),
    ],
)
def test_a_file_that_cannot_be_signed_is_refused(tmp_path, data, said):
    if data is not None:
        (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(InvalidRequestError, match=said):
        read_pdf(tmp_path / "a.pdf")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InvalidRequestError, match="is a folder"):
        read_pdf(tmp_path)


def test_a_signed_file_does_not_take_the_name_of_the_original():
    assert signed_name("договір.v2.pdf") == "договір.v2.signed.pdf"


@pytest.mark.parametrize("name", ["../a.pdf", "/a.pdf", "a/b.pdf", "a\\b.pdf", ".bashrc", "..", ""])
def test_a_name_that_is_a_path_is_not_believed(name):
    with pytest.raises(VerificationError):
        signed_name(name)


def test_all_files_are_written_and_writing_them_again_is_harmless(tmp_path):
    files = [("a.pdf", b"a"), ("b.pdf", b"b")]
    assert write_all(tmp_path, files) == write_all(tmp_path, files)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict(files)


def test_another_file_of_that_name_stays_and_nothing_is_written(tmp_path):
    (tmp_path / "b.pdf").write_bytes(b"mine")
    with pytest.raises(FolderError, match="is there already"):
        write_all(tmp_path, [("a.pdf", b"a"), ("b.pdf", b"b")])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_two_files_of_one_name_do_not_overwrite_each_other(tmp_path):
    with pytest.raises(FolderError, match="same name"):
        write_all(tmp_path, [("a.pdf", b"a"), ("a.pdf", b"b")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("full_at", [1, 2])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, full_at):
    calls = []

    def fsync(_descriptor):
        calls.append(1)
        if len(calls) == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FolderError, match="no space left"):
        write_all(tmp_path, [("a.pdf", b"a"), ("b.pdf", b"b")])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused():
    with pytest.raises(FolderError):
        check_folder(Path("/proc/self/nowhere"))


@pytest.mark.parametrize("text", ["xyz", "00", "0" * 34, ""])
def test_an_id_has_32_hexadecimal_characters(text):
    with pytest.raises(InvalidRequestError, match="32 hexadecimal"):
        parse_id(text)
