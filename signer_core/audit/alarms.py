"""What is done at once about rows that come into the log: alerts, and sources that are shut out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from signer_core.audit.events import needs_person
from signer_core.audit.leaf import Recorded

QUIET_S: Final = 600  # the same alarm is not raised again within this
BURST: Final = 20  # wrong PINs of one source; a key has 3 tries, then a wait of hours
BURST_WINDOW_S: Final = 600
SHUT_OUT_S: Final = 900
ALERT_KINDS: Final = ("alert.mail", "alert.webhook")  # of jobs; their body is the row
_TRIES: Final = frozenset({"sign", "refresh", "pin-change"})
_WRONG: Final = frozenset({"pin-rejected", "key-blocked"})
_MAX_SOURCES: Final = 100_000


@dataclass(slots=True)
class Alarms:
    """Decides which rows are told. Mutable: it remembers what it told within ten minutes."""

    _told: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def to_tell(self, rows: Sequence[Recorded]) -> Sequence[int]:
        """Return the places in `rows` of those that a person must be told of now."""
        return [place for place, one in enumerate(rows) if self._is_news(one)]

    def _is_news(self, one: Recorded) -> bool:
        if not needs_person(one.event, one.result, one.reason):
            return False
        what = (one.event, one.result, one.reason, one.key_id, one.subject, one.source)
        if one.at_s - self._told.get(what, -QUIET_S) < QUIET_S:
            return False
        if len(self._told) >= _MAX_SOURCES:
            self._told.clear()
        self._told[what] = one.at_s
        return True


def wrong_pins(rows: Sequence[Recorded]) -> Sequence[Recorded]:
    """Return the rows that tell of a wrong PIN from a source."""
    return [one for one in rows if one.event in _TRIES and one.result in _WRONG and one.source]
