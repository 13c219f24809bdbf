"""Suspending a key by the code its owner wrote down at enrolment (docs/flows/emergency.md)."""

from dataclasses import dataclass

from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.ports import VaultKeys
from signer_core.protocol.suspend_code import NO_SUCH_CODE, suspend_code_hash


@dataclass(frozen=True, slots=True)
class Emergency:
    """Passes on what a phone registers and what a caller types; keeps nothing."""

    vault: VaultKeys

    async def set_code(self, key_id: KeyId, code_hash: bytes) -> None:
        """Register the code of a key.

        Raises:
            InvalidRequestError: the hash has not 32 bytes, or the key has another code already.
        """
        if len(code_hash) != 32:
            raise InvalidRequestError("the hash of a suspend code has 32 bytes")
        await self.vault.set_suspend_code(key_id, code_hash)

    async def suspend(self, typed: str) -> None:
        """Suspend the key whose code was typed.

        Raises:
            NotFoundError: it is nobody's; always the same sentence.
        """
        code_hash = suspend_code_hash(typed)
        try:
            await self.vault.suspend_by_code(code_hash)
        except NotFoundError:
            raise NotFoundError(NO_SUCH_CODE) from None
