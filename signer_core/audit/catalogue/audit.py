"""Events of the log itself and of the worker that carries its alerts."""

from typing import Final

from signer_core.audit.kinds import ANY, EventKind

KINDS: Final = (
    EventKind(
        "audit-tree",
        "The vault was asked to sign a tree that does not contain the last one it signed.",
        ("vault",),
        ("refused",),
        about=("subject",),
        subject="the size that was asked for",
        needs_person=ANY,
    ),
    EventKind(
        "audit-outbox",
        "The vault's events are not fetched: signing stops at the bound, or goes on again.",
        ("vault",),
        ("filling", "stopped", "resumed"),
        needs_person=frozenset({"filling", "stopped"}),
    ),
    EventKind(
        "audit-sink",
        "The file beside the database cannot be written, or can again.",
        ("signer",),
        ("failed", "resumed"),
        needs_person=frozenset({"failed"}),
    ),
    EventKind(
        "audit-space",
        "A disk that the audit log stands on is nearly full, or has room again.",
        ("vault", "signer"),
        ("low", "enough"),
        ("database", "file"),
        needs_person=frozenset({"low"}),
    ),
    EventKind(
        "audit-read",
        "The log was searched, exported or proved for somebody.",
        ("signer",),
        ("searched", "exported"),
        about=("subject",),
        subject="first and last row",
    ),
    EventKind(
        "alert",
        "An alert went out, or could not be delivered after all tries.",
        ("signer",),
        ("delivered", "undeliverable"),
        ("mail", "webhook"),
        about=("subject",),
        subject="the row of the event it is about",
    ),
    EventKind(
        "callback",
        "A partner took a result that was posted to it, or did not within a day.",
        ("signer",),
        ("delivered", "undeliverable"),
        about=("subject",),
        subject="the partner, and the id that it sees",
    ),
)
