"""What the catalogue says of an event (docs/audit-events.md is made from it)."""

from dataclasses import dataclass, field
from typing import Final, Literal

Process = Literal["vault", "signer", "registrar", "portal", "worker"]

ANY: Final = frozenset({"*"})
ANY_WORD: Final = ("*",)  # reasons that are too many to list: names of tables, for example


@dataclass(frozen=True, slots=True)
class EventKind:
    """One line of the catalogue."""

    name: str
    meaning: str  # one sentence
    raised_by: tuple[Process, ...]
    results: tuple[str, ...]  # all there are
    reasons: tuple[str, ...] = ()  # all there are, or ANY_WORD; none: it has no reason
    about: tuple[str, ...] = ()  # of key, request, subject: what it names where it is known
    subject: str = ""  # what `subject` is, if it has one
    needs_person: frozenset[str] = field(default=frozenset())  # results or reasons; ANY: always
