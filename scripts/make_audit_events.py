"""Write docs/audit-events.md from the catalogue: python scripts/make_audit_events.py."""

from pathlib import Path
from typing import Final

from signer_core.audit.catalogue import PARTS
from signer_core.audit.kinds import ANY, ANY_WORD, EventKind

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "audit-events.md"
_BEGIN: Final = """# Audit events

Made from `signer_core/audit/catalogue/` by `scripts/make_audit_events.py`: change it there.

Every event says what happened (`event`, `result`, `reason`), when (`at_s`, Unix seconds by the
clock of the database that it was written to), on what (`key_id`, `request_id`, `subject`), who did
it (`actor_kind`, `actor_id`), where from (`source`: an address, or a process by its name), and as
part of what (`correlation_id`, the same in all logs). Nothing else fits: no name, no number of a
person, no PIN, no share, no document. Where the mark **!** stands, somebody is told at once
([flow](flows/audit.md#alerts)).
"""


def make_page() -> str:
    """Return the page."""
    parts = [_BEGIN]
    for title, kinds in PARTS.items():
        if kinds:
            parts += [f"\n## {title}\n", _HEAD, *map(_row, kinds)]
    return "\n".join(parts) + "\n"


_HEAD: Final = (
    "| event | means | raised by | result | reason | about |\n| --- | --- | --- | --- | --- | --- |"
)


def _row(kind: EventKind) -> str:
    subject = f"subject: {kind.subject}" if kind.subject else ""
    about = ", ".join([one for one in kind.about if one != "subject"] + ([subject] * bool(subject)))
    cells = (
        f"`{kind.name}`",
        kind.meaning,
        ", ".join(kind.raised_by),
        _words(kind, kind.results),
        _words(kind, kind.reasons),
        about,
    )
    return "| " + " | ".join(cells) + " |"


def _words(kind: EventKind, words: tuple[str, ...]) -> str:
    if words == ANY_WORD:
        return "a word"
    always = kind.needs_person == ANY and words == kind.results
    return ", ".join(
        f"`{word}` **!**" if always or word in kind.needs_person else f"`{word}`" for word in words
    )


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
