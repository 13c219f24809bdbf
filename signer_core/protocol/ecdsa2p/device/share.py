"""The phone's share of a key, without its masked scalar (docs/spec/ecdsa2p.md §2, §4)."""

from dataclasses import dataclass, field
from typing import Self

from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.protocol.curve import POINT_BYTES
from signer_core.protocol.ecdsa2p.records import pack, read_word, unpack
from signer_core.protocol.ecdsa2p.session import HASH_BYTES, ID_BYTES
from signer_core.protocol.multiplication import SEEDS_BYTES
from signer_core.protocol.transcript import u32

_VERSION = 1
_SIZES = (ID_BYTES, 4, None, HASH_BYTES, POINT_BYTES, SEEDS_BYTES, SEEDS_BYTES)


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """What the phone keeps beside `w`, its scalar masked by the PIN. Nothing here tests a PIN."""

    key_id: KeyId
    generation: int
    vault_id: VaultId
    device_key_hash: DeviceKeyHash  # 32 bytes
    public_key: bytes  # 33 bytes, Q
    zeros: bytes = field(repr=False)  # 416 seeds of 16 bytes, for the bit 0
    ones: bytes = field(repr=False)  # 416 seeds of 16 bytes, for the bit 1

    def to_bytes(self) -> bytes:
        """Encode the record: about 13.5 kB, secret; encrypt it under `k_file`."""
        names = (self.key_id, u32(self.generation), self.vault_id.encode("ascii"))
        return pack(
            _VERSION, (*names, self.device_key_hash, self.public_key, self.zeros, self.ones)
        )

    @classmethod
    def from_bytes(cls, record: bytes) -> Self:
        """Decode what `to_bytes` made.

        Raises:
            InvalidRequestError: the record is damaged or of another version.
        """
        key_id, generation, vault_id, device_key_hash, *rest = unpack(_VERSION, _SIZES, record)
        return cls(
            KeyId(key_id),
            int.from_bytes(generation, "big"),
            VaultId(read_word(vault_id)),
            DeviceKeyHash(device_key_hash),
            *rest,
        )
