"""The platform key store of the phone: what a real phone keeps in its secure hardware.

It holds two things: `device_secret` (32 bytes), from which the keys of the share file and of the
PIN's salt come, and the device key (P-256), which authenticates the phone. Two implementations,
see their docstrings for what each holds against; `keyring_store` is imported by who wants it.
"""

from mobile_share.keystore.device_key import DeviceKey, device_key_hash, make_csr
from mobile_share.keystore.file_store import FileKeyStore
from mobile_share.keystore.port import KeyStore

__all__ = [
    "DeviceKey",
    "FileKeyStore",
    "KeyStore",
    "device_key_hash",
    "make_csr",
]
