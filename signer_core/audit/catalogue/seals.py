"""Events of seals."""

from typing import Final

from signer_core.audit.kinds import EventKind

KINDS: Final[tuple[EventKind, ...]] = ()
