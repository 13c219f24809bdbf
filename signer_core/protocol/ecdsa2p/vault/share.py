"""The vault's share of a key, one record a generation (docs/spec/ecdsa2p.md §2, §7)."""

from dataclasses import dataclass, field
from typing import Self

from signer_core.identifiers import DeviceKeyHash, KeyId, VaultId
from signer_core.protocol.curve import POINT_BYTES
from signer_core.protocol.ecdsa2p.records import pack, read_word, unpack
from signer_core.protocol.ecdsa2p.session import HASH_BYTES, ID_BYTES
from signer_core.protocol.multiplication import BITS_BYTES, SEEDS_BYTES
from signer_core.protocol.transcript import u32

_VERSION = 1
_SIZES = (ID_BYTES, 4, None, HASH_BYTES, POINT_BYTES, POINT_BYTES, BITS_BYTES, SEEDS_BYTES)


@dataclass(frozen=True, slots=True)
class VaultShare:
    """Half of a key; `x1` is recomputed from `bits`. Wrap it under the KEK before storing it."""

    key_id: KeyId
    generation: int
    vault_id: VaultId
    device_key_hash: DeviceKeyHash  # 32 bytes
    public_key: bytes  # 33 bytes, Q
    device_public: bytes = field(repr=False)  # 33 bytes, X2: tests PINs on a stolen phone
    bits: bytes = field(repr=False)  # 52 bytes, b
    seeds: bytes = field(repr=False)  # 416 of 16 bytes

    def to_bytes(self) -> bytes:
        """Encode the record: about 6.9 kB, secret."""
        names = (self.key_id, u32(self.generation), self.vault_id.encode("ascii"))
        public = (self.device_key_hash, self.public_key, self.device_public)
        return pack(_VERSION, (*names, *public, self.bits, self.seeds))

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
