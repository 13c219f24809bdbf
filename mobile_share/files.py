"""Files that are whole or absent, and readable by their owner only."""

import errno
import os
import secrets
from pathlib import Path
from typing import Final

from mobile_share.errors import StorageError

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

_SENTENCES: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "the phone's folder is not readable and writable for this user",
    errno.EPERM: "the phone's folder is not readable and writable for this user",
    errno.ENOTDIR: "a part of the phone's path is a file, not a folder",
}


def storage_error(error: OSError) -> StorageError:
    """Translate, naming neither path nor content."""
    known = _SENTENCES.get(error.errno or 0)
    return StorageError(known or f"a file cannot be read or written ({error.strerror})")


def make_private_folder(folder: Path) -> None:
    """Create `folder` (0700) with its parents, or leave the one that is there.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except FileExistsError:
        raise StorageError("a part of the phone's path is a file, not a folder") from None
    except OSError as error:
        raise storage_error(error) from error


def write_durably(path: Path, data: bytes) -> None:
    """Replace `path` by a 0600 file of `data`; when this returns, it survives a power cut.

    Temporary file beside it, fsync, rename, fsync of the folder: a crash leaves the old file or
    the new one.

    Raises:
        StorageError: nothing was replaced.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_new(temporary, data)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error) from error


def rename_durably(path: Path, target: Path) -> None:
    """Put `path` in the place of `target`, at once; when this returns, it survives a power cut.

    Raises:
        StorageError: nothing was replaced.
    """
    try:
        path.replace(target)
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error) from error


def remove_durably(path: Path) -> None:
    """Remove a file, or find it gone; when this returns, it stays gone after a power cut.

    Raises:
        StorageError: it is still there.
    """
    try:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error) from error


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with open(descriptor, "wb") as file:  # noqa: PTH123  pathlib cannot open a descriptor
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path) -> bytes | None:
    """Return the bytes of `path`, None if there is no such file.

    Raises:
        StorageError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error) from error
