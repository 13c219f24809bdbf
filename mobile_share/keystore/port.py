"""What the phone asks of its platform's key store."""

from typing import Final, Protocol

from mobile_share.keystore.device_key import DeviceKey

DEVICE_SECRET_BYTES: Final = 32


class KeyStore(Protocol):
    """Keeps `device_secret` and the device key for one phone."""

    def create(self) -> None:
        """Make both, durably, or leave those that are there (a half-finished enrolment).

        Raises:
            StorageError: they cannot be stored.
        """
        ...

    def device_secret(self) -> bytes:
        """Return the 32 bytes.

        Raises:
            NotEnrolledError: `create` was never called.
            StorageError, DamagedFileError: it is there and cannot be read.
        """
        ...

    def device_key(self) -> DeviceKey:
        """Return the device key; raises as `device_secret`."""
        ...
