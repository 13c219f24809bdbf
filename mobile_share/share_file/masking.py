"""New shares, masked by a PIN, as they are stored (docs/spec/ecdsa2p.md §4, §8)."""

import secrets

from mobile_share.pin import SALT_BYTES, Argon2Parameters, PinMask, derive_factor, mask_share
from mobile_share.share_file.record import StoredShare
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolled


async def masked(made: DeviceEnrolled, pin: str, device_secret: bytes) -> StoredShare:
    """Return what is stored of new shares, in epoch 0.

    The salt is new each time: two files around a change of the PIN have no mask in common.
    """
    mask = PinMask(secrets.token_bytes(SALT_BYTES), Argon2Parameters())
    share = mask_share(made.x2, await derive_factor(pin, device_secret, mask))
    return StoredShare(made.share, share, mask, epoch=0, epoch_key=made.epoch_key)
