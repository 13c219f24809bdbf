"""What a client sends along with every call. It loads little: a command starts with it."""

import uuid
from typing import Final

from signer_core.audit.provenance import current_actor, current_correlation, current_source

CORRELATION_KEY: Final = "correlation-id"
SOURCE_KEY: Final = "audit-source"
ACTOR_KEY: Final = "audit-actor"


def correlation_metadata() -> tuple[tuple[str, str], ...]:
    """Return the id of the call being served, or a new one."""
    return ((CORRELATION_KEY, current_correlation() or uuid.uuid4().hex),)


def outgoing_metadata() -> tuple[tuple[str, str], ...]:
    """Return the correlation id, and who caused the call from where."""
    source, actor = current_source(), current_actor()
    if not source:
        return correlation_metadata()
    told = ((SOURCE_KEY, source), (ACTOR_KEY, f"{actor.kind} {actor.id}"))
    return (*correlation_metadata(), *told)
