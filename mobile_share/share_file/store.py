"""Reads and writes the share files of a phone's folder.

`share` is the generation in use, `share-next` the one a refresh made beside it, until its first
success (docs/spec/ecdsa2p.md §8). Both are tried, the newer one first.
"""

from pathlib import Path
from typing import Final

from mobile_share.errors import AlreadyEnrolledError, DamagedFileError, NotEnrolledError
from mobile_share.files import read_file, remove_durably, rename_durably, write_durably
from mobile_share.share_file.record import StoredShare
from mobile_share.share_file.sealing import open_sealed, seal

_ROLE: Final = b"share"


class ShareStore:
    """The share of one key; the latest write that returned is the one a crash leaves.

    Every answer comes from the files as they are now. Mutable: it remembers what the last bytes of
    each file said, for as long as the file has the same ones.
    """

    def __init__(self, folder: Path, device_secret: bytes) -> None:
        self._path = folder / "share"
        self._next_path = folder / "share-next"
        self._secret = device_secret
        self._opened: dict[Path, tuple[bytes, StoredShare]] = {}  # as sealed, and as opened

    def __repr__(self) -> str:
        return f"ShareStore({self._path})"

    def create(self, share: StoredShare) -> None:
        """Store the share of a new key durably; one that is there is never overwritten.

        Raises:
            AlreadyEnrolledError: there is one.
            StorageError: it cannot be written.
        """
        if self._path.exists():
            raise AlreadyEnrolledError("this phone's folder holds a share already")
        self._write(self._path, share)

    def load(self) -> StoredShare:
        """Return the newest generation, whatever its status: the one to try first.

        Raises:
            NotEnrolledError: there is none.
            DamagedFileError, UnsupportedVersionError, StorageError: there is, unreadable.
        """
        current = self._load_current()
        following = self._read(self._next_path)
        if following is None:
            return current
        if _generation(following) == _generation(current):
            return current  # a crash within `close`: the share in use is closed
        _verify_following(current, following)
        return following

    def has_next(self) -> bool:
        """Tell whether a refresh is unfinished: its generation has had no success yet."""
        return self._next_path.exists()

    def replace(self, share: StoredShare) -> None:
        """Store a later state of the newest generation durably.

        Raises:
            DamagedFileError: the file is another key's, or gone back in epochs: not replaced.
            StorageError: it cannot be written.
        """
        newest = self.load()
        if _identity(newest) != _identity(share):
            raise DamagedFileError("the share file is another key's than expected")
        if newest.epoch > share.epoch:
            raise DamagedFileError("the share file is newer than what would replace it")
        self._write(self._next_path if self.has_next() else self._path, share)

    def add_next(self, share: StoredShare) -> None:
        """Store the generation after the one in use, durably, beside it.

        Raises:
            AlreadyEnrolledError: there is one beside it already.
            DamagedFileError: it is no next generation of this key.
            StorageError: it cannot be written.
        """
        if self.has_next():
            raise AlreadyEnrolledError("a change of shares is unfinished on this phone")
        _verify_following(self._load_current(), share)
        self._write(self._next_path, share)

    def erase_old(self) -> None:
        """After the next generation's first success: erase the one before, in one rename.

        Erased is the file; what its blocks held stays until the disk writes over it.
        """
        if self.has_next():
            rename_durably(self._next_path, self._path)
            self._opened.clear()

    def drop_next(self) -> None:
        """Forget the next generation: the vault never took it into use."""
        remove_durably(self._next_path)
        self._opened.pop(self._next_path, None)

    def close(self, share: StoredShare) -> None:
        """Store a retired or suspended share for good, and erase every other generation."""
        self._write(self._path, share)
        self.drop_next()

    def _load_current(self) -> StoredShare:
        current = self._read(self._path)
        if current is None:
            raise NotEnrolledError("this phone has no share of a key: enrol first")
        return current

    def _read(self, path: Path) -> StoredShare | None:
        sealed = read_file(path)
        if sealed is None:
            return None
        before, share = self._opened.get(path, (None, None))
        if share is None or before != sealed:
            share = StoredShare.from_bytes(open_sealed(sealed, self._secret, _ROLE))
            self._opened[path] = sealed, share
        return share

    def _write(self, path: Path, share: StoredShare) -> None:
        sealed = seal(share.to_bytes(), self._secret, _ROLE)
        write_durably(path, sealed)
        self._opened[path] = sealed, share


def _generation(stored: StoredShare) -> int:
    return stored.share.generation


def _identity(stored: StoredShare) -> tuple[bytes, bytes, int]:
    return stored.share.key_id, stored.share.public_key, stored.share.generation


def _verify_following(current: StoredShare, following: StoredShare) -> None:
    """Check that one share is the next generation of the other's key."""
    share = current.share
    if _identity(following) != (share.key_id, share.public_key, share.generation + 1):
        raise DamagedFileError("the share files of this phone do not belong together")
