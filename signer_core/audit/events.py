"""An event: what happened, as it will stand in the audit log for ever.

Only what the catalogue knows can be raised, and only identifiers and words fit into it: no name,
number of a person, PIN, share or document.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from signer_core.audit.catalogue import CATALOGUE
from signer_core.audit.kinds import ANY, ANY_WORD, EventKind
from signer_core.audit.provenance import Actor, current_actor, current_correlation, current_source

__all__ = ["CATALOGUE", "Actor", "Event", "EventKind", "kind_of", "needs_person"]

ID_BYTES: Final = 16
_WORD: Final = re.compile(r"[a-z0-9_-]{1,64}")
_SUBJECT: Final = re.compile(r"[A-Za-z0-9._:/@+-]{0,128}")
_CORRELATION: Final = re.compile(r"(?:[0-9a-f]{32})?")
_SOURCE: Final = re.compile(r"[A-Za-z0-9._:/%-]{0,64}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Actor, source and correlation id are those of the call being served."""

    name: str
    result: str
    key_id: bytes | None = None  # 16 bytes
    request_id: bytes | None = None  # 16 bytes
    reason: str = ""
    subject: str = ""  # another identifier, at most 128 characters of ASCII
    actor: Actor = field(default_factory=current_actor)
    source: str = field(default_factory=current_source)  # address or process, 64 characters
    correlation_id: str = field(default_factory=current_correlation)  # 32 hex digits, or empty

    def __post_init__(self) -> None:
        """Refuse what is not in the catalogue: a defect of whoever raises it."""
        kind = CATALOGUE.get(self.name)
        if kind is None or self.result not in kind.results:
            raise ValueError(f"{self.name} {self.result} is not in signer_core.audit.catalogue")
        if not _is_reason(kind, self.reason):
            raise ValueError(f"{self.reason!r} is no reason of {self.name} in the catalogue")
        _check_form(self)


def kind_of(event: Event) -> EventKind:
    """Return what the catalogue says of an event."""
    return CATALOGUE[event.name]


def needs_person(name: str, result: str, reason: str) -> Literal[True, False]:
    """Tell whether somebody must be told of this at once; False for what nobody knows."""
    kind = CATALOGUE.get(name)
    if kind is None:
        return False
    return kind.needs_person == ANY or bool(kind.needs_person & {result, reason})


def _is_reason(kind: EventKind, reason: str) -> bool:
    if kind.reasons == ANY_WORD:
        return _WORD.fullmatch(reason) is not None
    return reason in (kind.reasons or ("",))


def _check_form(event: Event) -> None:
    for one in (event.key_id, event.request_id):
        if one is not None and len(one) != ID_BYTES:
            raise ValueError("an id in an event has 16 bytes")
    forms = (
        (_SUBJECT, event.subject),
        (_SUBJECT, event.actor.id),
        (_SOURCE, event.source),
        (_CORRELATION, event.correlation_id),
    )
    if not all(form.fullmatch(value) for form, value in forms):
        raise ValueError(f"an identifier in the event {event.name} is not one")
