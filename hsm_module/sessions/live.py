"""What a session carries from step to step, in memory only."""

from dataclasses import dataclass, field

from hsm_module.storage.beside import Beside
from hsm_module.storage.known import Known
from hsm_module.storage.rows import Generation
from signer_core.identifiers import KeyId, RequestId
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning
from signer_core.protocol.ecdsa2p.vault.transfer import VaultTransfer


@dataclass(frozen=True, slots=True)
class EpochBase:
    """The epoch that the tag of step 3 was under (docs/spec/ecdsa2p.md §5)."""

    number: int
    key: bytes = field(repr=False)  # 32 bytes
    wrapped_key: bytes = field(repr=False)
    judged: bool = True  # False: the key came from a backup, whatever the tag was


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session after step 3: the key's `live_sid` was set to its sid."""

    use: str
    sid: bytes  # 32 bytes
    key_id: KeyId
    request_id: RequestId | None  # None: it proves the PIN and nothing else
    generation: Generation
    items: tuple[Item, ...] = field(repr=False)
    epoch: EpochBase = field(repr=False)
    party: VaultSigning = field(repr=False)
    known: Known = field(repr=False)  # the key and the request after step 3

    @property
    def beside(self) -> Beside | None:
        """What a transaction wants besides the key."""
        return None if self.request_id is None else Beside(self.request_id)


@dataclass(frozen=True, slots=True)
class LiveTransfer:
    """A transfer (docs/spec/ecdsa2p.md §8) after its first transaction."""

    use: str
    share: VaultShare = field(repr=False)  # the one in use
    party: VaultTransfer = field(repr=False)
    request_id: None = None
    beside: None = None

    @property
    def sid(self) -> bytes:
        """The transfer's own sid, 32 bytes."""
        return self.party.sid

    @property
    def key_id(self) -> KeyId:
        """The key whose share is transferred."""
        return self.share.key_id
