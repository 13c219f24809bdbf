"""Reads and writes the share file of a phone's folder."""

from pathlib import Path
from typing import Final

from mobile_share.errors import AlreadyEnrolledError, DamagedFileError, NotEnrolledError
from mobile_share.files import read_file, write_durably
from mobile_share.share_file.record import StoredShare
from mobile_share.share_file.sealing import open_sealed, seal

_ROLE: Final = b"share"


class ShareStore:
    """One share, in one file; the latest write that returned is the one a crash leaves."""

    def __init__(self, folder: Path, device_secret: bytes) -> None:
        self._path = folder / "share"
        self._secret = device_secret

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
        self._write(share)

    def load(self) -> StoredShare:
        """Return the share, whatever its status.

        Raises:
            NotEnrolledError: there is none.
            DamagedFileError, UnsupportedVersionError, StorageError: there is, unreadable.
        """
        sealed = read_file(self._path)
        if sealed is None:
            raise NotEnrolledError("this phone has no share of a key: enrol first")
        return StoredShare.from_bytes(open_sealed(sealed, self._secret, _ROLE))

    def replace(self, share: StoredShare) -> None:
        """Store a later state of the same share durably.

        Raises:
            DamagedFileError: the file is another key's, or gone back in epochs: not replaced.
            StorageError: it cannot be written.
        """
        current = self.load()
        if (current.share.key_id, current.share.generation) != (
            share.share.key_id,
            share.share.generation,
        ):
            raise DamagedFileError("the share file is another key's than expected")
        if current.epoch > share.epoch:
            raise DamagedFileError("the share file is newer than what would replace it")
        self._write(share)

    def _write(self, share: StoredShare) -> None:
        write_durably(self._path, seal(share.to_bytes(), self._secret, _ROLE))
