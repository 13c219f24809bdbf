"""Key store of files, for development and for the servers that run a phone for a browser."""

import secrets
from pathlib import Path

from mobile_share.errors import DamagedFileError, NotEnrolledError
from mobile_share.files import make_private_folder, read_file, write_durably
from mobile_share.keystore.device_key import DeviceKey, make_device_key_pem, read_device_key
from mobile_share.keystore.port import DEVICE_SECRET_BYTES


class FileKeyStore:
    """Two files of mode 0600 in the phone's folder.

    Holds against other users of the machine. Does not hold against who reads the disk or runs as
    the same user: he has the phone, and is left with nine PINs at the vault.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._secret_path = folder / "device-secret"
        self._key_path = folder / "device-key.pem"

    def create(self) -> None:
        """Make both, or leave those that are there; raises StorageError."""
        make_private_folder(self._folder)
        if not self._secret_path.exists():
            write_durably(self._secret_path, secrets.token_bytes(DEVICE_SECRET_BYTES))
        if not self._key_path.exists():
            write_durably(self._key_path, make_device_key_pem())

    def device_secret(self) -> bytes:
        """Return the 32 bytes; raises NotEnrolledError, StorageError, DamagedFileError."""
        secret = read_file(self._secret_path)
        if secret is None:
            raise NotEnrolledError("this phone has no device secret: enrol first")
        if len(secret) != DEVICE_SECRET_BYTES:
            raise DamagedFileError("the device secret of this phone is damaged: enrol again")
        return secret

    def device_key(self) -> DeviceKey:
        """Return the device key; raises as `device_secret`."""
        return read_device_key(self._key_path)
