"""The share file: all that a phone keeps of a key, encrypted under `k_file` (§4)."""

from mobile_share.share_file.masking import masked
from mobile_share.share_file.record import ShareStatus, StoredShare
from mobile_share.share_file.sealing import open_sealed, seal
from mobile_share.share_file.store import ShareStore

__all__ = ["ShareStatus", "ShareStore", "StoredShare", "masked", "open_sealed", "seal"]
