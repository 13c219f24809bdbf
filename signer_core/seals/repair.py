"""Seals below the level asked: kept until a job of the worker has raised them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from signer_core.errors import NotFoundError, UnavailableError
from signer_core.seals.levels import Levels
from signer_core.seals.model import Kind, Level, Reached, RepairId, SealUser
from signer_core.storage.signer.seal_repairs import Repair, SealRepairs

KEPT_S: Final = 7 * 86_400  # documents are personal data: no longer, fetched or not


@dataclass(frozen=True, slots=True)
class Repairs:
    """Keeps, repairs, gives out, forgets. A caller sees its own only."""

    rows: SealRepairs
    levels: Levels
    clock: Callable[[], datetime]  # UTC

    async def keep_what_is_lower(
        self,
        user: SealUser,
        kind: Kind,
        raised: Sequence[tuple[bytes, Level]],
        asked: Level,
    ) -> list[tuple[bytes, Reached]]:
        """Keep each seal below the level asked, with a job for it, all in one transaction.

        Raises:
            UnavailableError: they cannot be kept; nobody gets a seal then.
        """
        now_s = self._now_s()
        caller = _caller(user.callers)
        kept: list[Repair] = []
        answers: list[tuple[bytes, Reached]] = []
        for document, reached in raised:
            answer = Reached(asked, reached)
            if reached < asked:
                repair_id = RepairId(secrets.token_bytes(16))
                answer = Reached(asked, reached, repair_id)
                expires_at_s = now_s + KEPT_S
                kept.append(Repair(repair_id, caller, kind, asked, reached, document, expires_at_s))
            answers.append((document, answer))
        if kept:
            await self.rows.keep(kept, now_s)
        return answers

    async def repair(self, repair_id: RepairId) -> Repair:
        """Raise a seal as far as it goes now; repeating it is harmless.

        Raises:
            NotFoundError: it was fetched and forgotten, or has expired.
            UnavailableError: it is still below the level asked: try again later.
        """
        before = await self.rows.get(repair_id, self._now_s())
        document, reached = await self.levels.raise_as_far_as_possible(
            before.kind, before.document, before.reached, before.asked
        )
        after = replace(before, document=document, reached=reached)
        if reached > before.reached:
            await self.rows.save(after, before.reached)
        if reached < before.asked:
            raise UnavailableError("what the seal lacks is still away: try again later")
        return after

    async def get(self, repair_id: RepairId, callers: frozenset[str]) -> Repair:
        """Return a seal as far as it is repaired.

        Raises:
            NotFoundError: this caller has no such seal, or it has expired.
        """
        found = await self.rows.get(repair_id, self._now_s())
        if found.caller != _caller(callers):
            raise NotFoundError("no such seal is kept for repair")
        return found

    async def forget(self, repair_id: RepairId, callers: frozenset[str]) -> None:
        """Drop a seal that the caller has; one that is not there is dropped already."""
        await self.rows.forget(repair_id, _caller(callers))

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


def _caller(callers: frozenset[str]) -> str:
    return ",".join(sorted(callers))
