"""What a signing session carries from step to step, in memory only."""

from dataclasses import dataclass, field

from signer_core.identifiers import KeyId, RequestId
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning


@dataclass(frozen=True, slots=True)
class EpochBase:
    """The epoch that the tag of step 3 was under (docs/spec/ecdsa2p.md §5)."""

    number: int
    key: bytes = field(repr=False)  # 32 bytes
    wrapped_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session after step 3: the key's `live_sid` was set to its sid."""

    sid: bytes  # 32 bytes
    key_id: KeyId
    request_id: RequestId
    generation: int
    items: tuple[Item, ...] = field(repr=False)
    epoch: EpochBase = field(repr=False)
    party: VaultSigning = field(repr=False)
