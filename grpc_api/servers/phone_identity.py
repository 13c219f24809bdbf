"""Which enrolled device is at the other end of the phones' listener."""

from dataclasses import dataclass

from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_device
from signer_core.audit.provenance import Actor, bind_actor
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.storage.signer.devices import Devices


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled device and its one user key."""

    key_id: KeyId
    key_hash: DeviceKeyHash


@dataclass(frozen=True, slots=True)
class DeviceDoor:
    """Lets enrolled devices in, and tells which one it is."""

    devices: Devices

    async def identify(self, context: Context) -> Device:
        """Return the device of this connection.

        1. Its certificate is one of a device: the common name is the hash of its key.
        2. The device is enrolled.

        Raises:
            DeniedError: it is no device, or not an enrolled one.
        """
        key_hash = peer_device(context)  # 1
        bind_actor(Actor("phone", key_hash.hex()))
        return Device(await self.devices.get_key(key_hash), key_hash)  # 2
