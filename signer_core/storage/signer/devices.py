"""Which device key belongs to which user key."""

from contextlib import suppress
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import DeniedError, InvalidRequestError
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.immutable import Immutable
from signer_core.storage.signer.insert import insert_unless
from signer_core.storage.signer.tables import devices

# Asked at every call of a phone, so built once: to build it costs more than to run it.
_KEY_OF: Final = select(devices.c.key_id).where(devices.c.device_key_hash == bindparam("the_hash"))


class Devices:
    """Enrolled devices: one user key each, for ever. Mutable: it remembers those that it met."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known = Immutable[DeviceKeyHash, KeyId]()

    async def enrol(self, key_id: KeyId, device_key_hash: DeviceKeyHash, now_s: int) -> None:
        """Remember a device; repeating the same is harmless.

        Raises:
            InvalidRequestError: this device key belongs to another user key, or the other way.
        """
        row = {"key_id": key_id, "device_key_hash": device_key_hash, "enrolled_at_s": now_s}
        taken = (devices.c.key_id == key_id) | (devices.c.device_key_hash == device_key_hash)
        with suppress(IntegrityError):
            async with write_transaction(self._engine) as connection:
                await connection.execute(insert_unless(taken, devices, row))
        if await self._find(device_key_hash) != key_id:
            raise InvalidRequestError("this device key is taken: make a new one to enrol")

    async def get_key(self, device_key_hash: DeviceKeyHash) -> KeyId:
        """Return the user key of a device.

        Raises:
            DeniedError: the device is unknown.
        """
        key_id = await self._known.get(device_key_hash, self._find)
        if key_id is None:
            raise DeniedError("this device is not enrolled")
        return key_id

    async def _find(self, device_key_hash: DeviceKeyHash) -> KeyId | None:
        async with read_transaction(self._engine) as connection:
            key_id: bytes | None = await connection.scalar(_KEY_OF, {"the_hash": device_key_hash})
        return None if key_id is None else KeyId(key_id)
