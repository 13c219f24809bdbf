"""Who causes what happens now, from where, as part of which action: bound once for each call."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

ActorKind = Literal["process", "phone", "officer", "anybody"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a process of ours by its name, a phone by its device key's hash, an officer."""

    kind: ActorKind = "process"
    id: str = ""  # empty: the process that raises the event, by itself


_NOBODY: Final = Actor()
_actor: ContextVar[Actor] = ContextVar("audit_actor", default=_NOBODY)
_source: ContextVar[str] = ContextVar("audit_source", default="")


def current_actor() -> Actor:
    """Return who acts now."""
    return _actor.get()


def current_source() -> str:
    """Return the address or process that the call came from, empty where nobody called."""
    return _source.get()


def current_correlation() -> str:
    """Return the id (32 hex digits) that all logs of this action have, empty outside of calls."""
    structlog = sys.modules.get("structlog")  # it takes 0.2 s; who never loaded it bound nothing
    if structlog is None:
        return ""
    bound = structlog.contextvars.get_contextvars().get("correlation_id", "")
    return bound if isinstance(bound, str) else ""


def bind_actor(actor: Actor) -> None:
    """Say who acts, for the rest of this call's task."""
    _actor.set(actor)


def bind_source(source: str) -> None:
    """Say where the call came from, for the rest of its task."""
    _source.set(source)


@contextmanager
def acting(actor: Actor, source: str = "") -> Iterator[None]:
    """Say who acts and from where, inside the block."""
    before = _actor.set(actor), _source.set(source)
    try:
        yield
    finally:
        _actor.reset(before[0])
        _source.reset(before[1])
