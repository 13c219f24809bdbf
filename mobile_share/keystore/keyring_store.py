"""Key store in the operating system's keyring, through the `keyring` package."""

import secrets
from pathlib import Path
from typing import Final

import keyring
from keyring.errors import KeyringError

from mobile_share.errors import DamagedFileError, NotEnrolledError, StorageError
from mobile_share.files import make_private_folder, write_durably
from mobile_share.keystore.device_key import DeviceKey, make_device_key_pem, read_device_key
from mobile_share.keystore.port import DEVICE_SECRET_BYTES
from signer_core.protocol.epoch import derive

_SERVICE: Final = "diia-signer phone"


class KeyringKeyStore:
    """`device_secret` in the OS keyring; the device key's PEM encrypted under a key from it.

    Holds against who copies the disk or the folder while the keyring is locked: share file and
    device key are both encrypted under what only the keyring has. Does not hold against programs
    of the same user once the keyring is open, and is no secure hardware: the secret can be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key_path = folder / "device-key.pem"
        self._name = str(folder.absolute())

    def create(self) -> None:
        """Make both, or leave those that are there; raises StorageError."""
        make_private_folder(self._folder)
        if self._read() is None:
            self._write(secrets.token_bytes(DEVICE_SECRET_BYTES).hex())
        if not self._key_path.exists():
            write_durably(self._key_path, make_device_key_pem(self._password()))

    def device_secret(self) -> bytes:
        """Return the 32 bytes; raises NotEnrolledError, StorageError, DamagedFileError."""
        stored = self._read()
        if stored is None:
            raise NotEnrolledError("the keyring has no secret of this phone: enrol first")
        try:
            secret = bytes.fromhex(stored)
        except ValueError:
            secret = b""
        if len(secret) != DEVICE_SECRET_BYTES:
            raise DamagedFileError("the secret in the keyring is damaged: enrol again")
        return secret

    def device_key(self) -> DeviceKey:
        """Return the device key; raises as `device_secret`."""
        return read_device_key(self._key_path, self._password())

    def _password(self) -> bytes:
        return derive(b"", self.device_secret(), b"k-device-key").hex().encode("ascii")

    def _read(self) -> str | None:
        try:
            return keyring.get_password(_SERVICE, self._name)
        except KeyringError:
            raise StorageError("the keyring of this computer does not open") from None

    def _write(self, secret: str) -> None:
        try:
            keyring.set_password(_SERVICE, self._name, secret)
        except KeyringError:
            raise StorageError("the keyring of this computer does not open") from None
