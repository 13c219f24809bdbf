"""Events of officers."""

from typing import Final

from signer_core.audit.kinds import ANY, EventKind

GROUNDS: Final = (
    "key-compromise",
    "phone-lost",
    "person-died",
    "court-order",
    "wrong-identity",
    "owner-asked",
    "staff-change",
    "scheduled",
    "drill",
)

KINDS: Final = (
    EventKind(
        "officer",
        "Somebody became an officer or auditor, or is none any more.",
        ("vault",),
        ("added", "removed"),
        GROUNDS,
        about=("subject",),
        subject="id of the officer, and the role",
        needs_person=ANY,
    ),
    EventKind(
        "officer-refused",
        "A caller with an officer's certificate was refused: no officer, or an auditor who would"
        " have changed something.",
        ("vault", "signer"),
        ("refused",),
        ("unknown-officer", "auditor"),
        about=("subject",),
        subject="what was asked for",
        needs_person=frozenset({"unknown-officer"}),
    ),
    EventKind(
        "officer-key",
        "An officer suspended or revoked a key, or let it sign nothing before new shares.",
        ("vault",),
        ("suspended", "revoked", "refresh-due"),
        GROUNDS,
        about=("key", "subject"),
        subject="ticket that the officer named",
    ),
    EventKind(
        "partner",
        "A partner's record was signed, first or anew; or a partner was suspended or resumed.",
        ("vault",),
        ("added", "changed", "suspended", "resumed"),
        (*GROUNDS, "ceremony", "sandbox"),
        about=("subject",),
        subject="id of the partner",
        needs_person=frozenset({"suspended", "resumed"}),
    ),
    EventKind(
        "partner-secret",
        "A partner got a secret, in place of the one before it.",
        ("signer",),
        ("made",),
        (*GROUNDS, "sandbox"),
        about=("subject",),
        subject="id of the partner",
    ),
    EventKind(
        "kek",
        "An officer ordered another KEK in the token, to which every record moves, or that one be"
        " destroyed that no record is under.",
        ("vault",),
        ("ordered", "destroyed"),
        GROUNDS,
        about=("subject",),
        subject="id of the KEK",
        needs_person=frozenset({"destroyed"}),
    ),
    EventKind(
        "login-key",
        "Another key signs ID tokens: by its age, or because an officer wanted it. A dropped key is"
        " published no longer: what it signed is worth nothing.",
        ("vault",),
        ("rotated", "dropped"),
        GROUNDS,
        about=("subject",),
        subject="label of the key that signs now, and the ticket that the officer named",
        needs_person=frozenset({"dropped"}),
    ),
    EventKind(
        "dead-letter",
        "An officer had the worker try a job again that was given up.",
        ("signer",),
        ("replayed",),
        GROUNDS,
        about=("subject",),
        subject="kind and id of the job, and the ticket that the officer named",
    ),
    EventKind(
        "mass-job",
        "An officer wrote a mass job down, or its last key was done.",
        ("signer",),
        ("created", "finished"),
        GROUNDS,
        about=("subject",),
        subject="kind and id of the job, and the ticket that the officer named",
        needs_person=ANY,
    ),
)
