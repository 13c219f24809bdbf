"""What the share file says, and what it must never say (docs/spec/ecdsa2p.md §4).

Never here: X1, X2, x2, a hash, MAC, key or version tag derived from the PIN, a proof, a sigma, a
transcript of enrolment. With any of them a thief tests all 100,000 PINs in minutes.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

from mobile_share.errors import DamagedFileError
from mobile_share.pin import SALT_BYTES, Argon2Parameters, PinMask
from signer_core.errors import InvalidRequestError
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
from signer_core.protocol.epoch import KEY_BYTES, MAX_PENDING

_SCALAR_BYTES: Final = 32


class ShareStatus(StrEnum):
    """Whether the share may still be used; only a word from inside the channel changes it."""

    ACTIVE = "active"
    RETIRED = "retired"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class StoredShare:
    """One generation of the device's share, with its mask and its epoch."""

    share: DeviceShare
    masked_share: bytes = field(repr=False)  # 32 bytes, w = x2 - F mod q
    mask: PinMask = field(repr=False)
    epoch: int
    epoch_key: bytes = field(repr=False)  # 32 bytes
    pending: tuple[bytes, ...] = ()  # sids of step 5s sent since the epoch was stored, oldest first
    status: ShareStatus = ShareStatus.ACTIVE

    def with_pending(self, sid: bytes) -> Self:
        """Add the session whose step 5 is about to be sent."""
        return replace(self, pending=(*self.pending, sid))

    def with_epoch(self, number: int, key: bytes) -> Self:
        """Go to the next epoch, which answers every pending session."""
        return replace(self, epoch=number, epoch_key=key, pending=())

    def closed(self, status: ShareStatus) -> Self:
        """Forget every secret for good; key id and Q stay, to say which key it was.

        A suspended key is never resumed (§5), so its secrets go as those of a retired one do.
        """
        empty = bytes(len(self.share.zeros))
        return replace(
            self,
            share=replace(self.share, zeros=empty, ones=empty),
            masked_share=bytes(_SCALAR_BYTES),
            epoch_key=bytes(KEY_BYTES),
            pending=(),
            status=status,
        )

    def to_bytes(self) -> bytes:
        """Encode as JSON, bytes in hexadecimal; `share` is the protocol's own record."""
        fields = {
            "share": self.share.to_bytes().hex(),
            "masked_share": self.masked_share.hex(),
            "salt": self.mask.salt.hex(),
            "argon2_memory_kib": self.mask.parameters.memory_kib,
            "argon2_passes": self.mask.parameters.passes,
            "argon2_lanes": self.mask.parameters.lanes,
            "epoch": self.epoch,
            "epoch_key": self.epoch_key.hex(),
            "pending": [sid.hex() for sid in self.pending],
            "status": str(self.status),
        }
        return json.dumps(fields).encode("ascii")

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Self:
        """Decode what `to_bytes` made; sizes are checked.

        Raises:
            DamagedFileError: it is anything else.
        """
        try:
            stored = cls._from_fields(json.loads(encoded))
        except (ValueError, TypeError, KeyError, InvalidRequestError) as error:
            raise DamagedFileError("the share file does not say what it should") from error
        if not _has_right_sizes(stored):
            raise DamagedFileError("the share file does not say what it should")
        return stored

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Self:
        parameters = Argon2Parameters(
            fields["argon2_memory_kib"], fields["argon2_passes"], fields["argon2_lanes"]
        )
        return cls(
            share=DeviceShare.from_bytes(bytes.fromhex(fields["share"])),
            masked_share=bytes.fromhex(fields["masked_share"]),
            mask=PinMask(bytes.fromhex(fields["salt"]), parameters),
            epoch=fields["epoch"],
            epoch_key=bytes.fromhex(fields["epoch_key"]),
            pending=tuple(bytes.fromhex(sid) for sid in fields["pending"]),
            status=ShareStatus(fields["status"]),
        )


def _has_right_sizes(stored: StoredShare) -> bool:
    sizes = (
        (stored.masked_share, _SCALAR_BYTES),
        (stored.mask.salt, SALT_BYTES),
        (stored.epoch_key, KEY_BYTES),
        *((sid, 32) for sid in stored.pending),
    )
    return all(len(value) == size for value, size in sizes) and len(stored.pending) <= MAX_PENDING
