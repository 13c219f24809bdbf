"""Epoch keys, the tag of step 3 and the ack of step 7 (docs/spec/ecdsa2p.md §5), pure functions.

Which epoch key a tag may be under is the caller's judgement: that is state, and state is not here.
"""

import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.transcript import LABEL_PREFIX, h32

KEY_BYTES = 32
SEED_BYTES = 32
MAX_PENDING = 64  # sids of step 5s sent since the last epoch was stored


def derive(salt: bytes, secret: bytes, name: bytes) -> bytes:
    """HKDF-SHA256 to 32 bytes; `info` is the label prefix and `name` (ASCII, with what follows)."""
    info = LABEL_PREFIX.encode("ascii") + name
    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(secret)


def next_key(old_key: bytes, epoch_seed: bytes, sid: bytes) -> bytes:
    """Return the epoch key after session `sid`; `old_key` is empty for the first one."""
    return derive(old_key, epoch_seed, b"epoch" + sid)


def make_tag(epoch_key: bytes, sid: bytes, pending: Sequence[bytes]) -> bytes:
    """Return the 32-byte tag of step 3 over the session and the pending ones (at most 64 sids)."""
    return hmac.digest(epoch_key, h32("tag", sid, *pending), "sha256")


def make_ack(epoch_key: bytes, sid: bytes) -> bytes:
    """Return the 32-byte ack of step 7 under the new epoch key."""
    return hmac.digest(epoch_key, h32("ack", sid), "sha256")


def verify_tag(epoch_key: bytes, sid: bytes, pending: Sequence[bytes], tag: bytes) -> None:
    """Check a tag against one epoch key, in constant time.

    Raises:
        ProtocolAbortError: it is not a tag under this key.
    """
    if not hmac.compare_digest(make_tag(epoch_key, sid, pending), tag):
        raise ProtocolAbortError("the epoch tag does not verify", culprit="device")


def verify_ack(epoch_key: bytes, sid: bytes, ack: bytes) -> None:
    """Check an ack against the new epoch key, in constant time.

    Raises:
        ProtocolAbortError: it is not an ack under this key; suspend nothing for it (§5).
    """
    if not hmac.compare_digest(make_ack(epoch_key, sid), ack):
        raise ProtocolAbortError("the epoch ack does not verify", culprit="device")
