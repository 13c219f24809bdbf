"""A recorded event, and the bytes of it that are a leaf of the tree for ever."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from signer_core.audit.merkle import leaf_hash
from signer_core.errors import VerificationError

_LINE: Final = re.compile(rb'\{"hash":"[0-9a-f]{64}","row":(\{.*\})\}\n?')


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it came out of an outbox; fields as in `signer_core.audit.events.Event`."""

    event_id: bytes  # 16 random bytes
    at_s: int  # Unix time, by the clock of the database it was written to
    event: str
    result: str
    reason: str
    subject: str
    actor_kind: str
    actor_id: str
    source: str
    correlation_id: str
    key_id: bytes | None
    request_id: bytes | None


WORDS: Final = (  # columns and fields that hold text
    "event",
    "result",
    "reason",
    "subject",
    "actor_kind",
    "actor_id",
    "source",
    "correlation_id",
)


def from_row(row: Mapping[str, Any]) -> Recorded:
    """Return the event of an outbox's row."""
    words = {name: row[name] for name in WORDS}
    ids = {name: row[name] for name in ("event_id", "key_id", "request_id")}
    return Recorded(at_s=row["at_s"], **words, **ids)


def leaf_bytes(seq: int, origin: str, one: Recorded) -> bytes:
    """Return the leaf: JSON in ASCII, keys sorted, no spaces, nothing that is empty."""
    values: dict[str, str | int] = {
        "seq": seq,
        "origin": origin,
        "at_s": one.at_s,
        "event_id": one.event_id.hex(),
    }
    values |= {name: value for name in WORDS if (value := getattr(one, name))}
    for name, some_id in (("key_id", one.key_id), ("request_id", one.request_id)):
        if some_id is not None:
            values[name] = some_id.hex()
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def line_of(leaf: bytes) -> bytes:
    """Return a row as a line of a file: its hash beside it, so that a changed row has a name."""
    return b'{"hash":"' + leaf_hash(leaf).hex().encode() + b'","row":' + leaf + b"}\n"


def leaf_of(line: bytes) -> bytes:
    """Return the leaf in a line, with or without its line break.

    Raises:
        VerificationError: it is no line of the log.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise VerificationError("this is no line of the audit log")
    return found[1]
