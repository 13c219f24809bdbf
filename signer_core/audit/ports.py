"""What the audit log wants of other processes."""

from collections.abc import Sequence
from typing import Protocol

from signer_core.audit.leaf import Recorded


class VaultAudit(Protocol):
    """The vault's events, and the key that signs the tree."""

    async def fetch(self, limit: int) -> Sequence[Recorded]:
        """Return the oldest events (1 to 1024) that were not acknowledged."""
        ...

    async def acknowledge(self, event_ids: Sequence[bytes]) -> None:
        """Say that these are in the log, durably; repeating it is harmless."""
        ...

    async def head_size(self) -> int:
        """Return the size of the last tree that was signed, 0 if none was."""
        ...

    async def sign_checkpoint(self, size: int, root: bytes, proof: Sequence[bytes]) -> str:
        """Sign a tree that begins with the last one; return a signed note.

        Raises:
            VerificationError: it does not; the vault has recorded that.
        """
        ...
