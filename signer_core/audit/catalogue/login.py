"""Events of logins at partners."""

from typing import Final

from signer_core.audit.kinds import EventKind

KINDS: Final[tuple[EventKind, ...]] = (
    EventKind(
        "login",
        "A person signed in at a partner; or what is good once was tried again: a code, which ends"
        " its login, or a partner's assertion.",
        ("signer",),
        ("approved", "refused"),
        ("", "code-again", "assertion-again"),
        about=("request", "subject"),
        subject="id of the partner",
        needs_person=frozenset({"code-again", "assertion-again"}),
    ),
)
