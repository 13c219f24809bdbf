"""Whether an officer may do this: asked of the vault, remembered for 5 s."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from signer_core.admin.officers import Officer, OfficerClaim, Role
from signer_core.admin.vault import OfficerTable
from signer_core.errors import DeniedError

REMEMBERED_S: Final = 5.0  # a removed officer is out this soon everywhere
_MAX_REMEMBERED: Final = 256


def verify_role(officer: Officer | None, *, changes: bool) -> Officer:
    """Check that the caller is an officer, and one who may change things where something changes.

    Raises:
        DeniedError: it is not.
    """
    if officer is None or not officer.active:
        raise DeniedError("this key file is no officer's of this system, or not any more")
    if changes and officer.role is not Role.OFFICER:
        raise DeniedError("an auditor only reads: ask an officer")
    return officer


@dataclass(frozen=True, slots=True)
class Access:
    """The officers as a process other than the vault knows them. Its memory is mutable."""

    table: OfficerTable
    clock_s: Callable[[], float] = time.monotonic
    _known: dict[OfficerClaim, tuple[float, Officer | None]] = field(
        default_factory=dict, repr=False
    )

    async def verify(self, claim: OfficerClaim, *, changes: bool) -> Officer:
        """Return the officer.

        Raises:
            DeniedError: the caller is none, or an auditor who would change something.
            UnavailableError: the vault is away.
        """
        asked_s, officer = self._known.get(claim, (0.0, None))
        if not asked_s or self.clock_s() - asked_s >= REMEMBERED_S:
            asked_s, officer = self.clock_s(), await self.table.find_officer(claim)
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[claim] = asked_s, officer
        return verify_role(officer, changes=changes)
