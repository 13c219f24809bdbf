"""The vault's events for the log, and the key that signs its tree (`signer_core.audit.ports`)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hsm_module.storage.audit import Head
from hsm_module.storage.store import Store
from hsm_module.token.port import KeyLabel, Token
from signer_core.audit.checkpoint import Checkpoint, checkpoint_text, signed_note
from signer_core.audit.events import Event
from signer_core.audit.leaf import Recorded
from signer_core.audit.merkle import HASH_BYTES, verify_consistency
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.identifiers import VaultId

AUDIT_LOG: Final = KeyLabel("audit-log")
MAX_EVENTS: Final = 1024
MAX_PROOF: Final = 64  # hashes: a tree has fewer than 2^64 leaves


@dataclass(frozen=True, slots=True)
class AuditOffice:
    """Hands events over once they are asked for, and signs trees that only grow."""

    vault_id: VaultId
    store: Store
    token: Token

    async def fetch(self, limit: int) -> Sequence[Recorded]:
        """Return the oldest events (1 to 1024) that were not acknowledged.

        Raises:
            InvalidRequestError: another number.
        """
        if not 1 <= limit <= MAX_EVENTS:
            raise InvalidRequestError(f"1 to {MAX_EVENTS} events at once")
        async with self.store.reading() as transaction:
            return await transaction.audit.waiting(limit)

    async def acknowledge(self, event_ids: Sequence[bytes]) -> None:
        """Say that these are in the log, durably; repeating it is harmless.

        Raises:
            InvalidRequestError: too many.
        """
        if len(event_ids) > MAX_EVENTS:
            raise InvalidRequestError(f"at most {MAX_EVENTS} events at once")
        async with self.store.transaction() as transaction:
            await transaction.audit.acknowledge(event_ids)

    async def head_size(self) -> int:
        """Return the size of the last tree that was signed, 0 if none was."""
        async with self.store.reading() as transaction:
            return (await transaction.audit.head()).size

    async def sign_checkpoint(self, size: int, root: bytes, proof: Sequence[bytes]) -> str:
        """Sign a tree that begins with the last one; return a signed note.

        Raises:
            VerificationError: it does not; that is recorded.
            InvalidRequestError: a hash has not 32 bytes, or there are too many.
        """
        if len(proof) > MAX_PROOF or {len(one) for one in (root, *proof)} != {HASH_BYTES}:
            raise InvalidRequestError(f"a root and at most {MAX_PROOF} hashes of 32 bytes")
        try:
            return await self._sign(size, root, proof)
        except VerificationError:
            await self.store.record(Event("audit-tree", "refused", subject=str(size)))
            raise

    async def _sign(self, size: int, root: bytes, proof: Sequence[bytes]) -> str:
        """Write the head before the signature leaves: an older tree is never signed again."""
        async with self.store.transaction() as transaction:
            head = await transaction.audit.lock_head()
            verify_consistency(head.size, size, head.root, root, proof)
            now_s = await transaction.now_s()
            text = checkpoint_text(self.vault_id, Checkpoint(size, root, now_s))
            digest = hashlib.sha256(text).digest()
            signature = await self.token.sign_digest(AUDIT_LOG, digest)
            await transaction.audit.save_head(Head(size, root, head.row_version))
        return signed_note(text, await self.token.public_key(AUDIT_LOG), signature)
