"""Events of processes: start, stop, self-test, who may call."""

from typing import Final

from signer_core.audit.kinds import ANY, EventKind

KINDS: Final = (
    EventKind(
        "process-started",
        "A process serves.",
        ("vault", "signer"),
        ("serving",),
        about=("subject",),
        subject="the version of the code",
    ),
    EventKind(
        "process-stopped",
        "A process was told to end, and ended.",
        ("vault", "signer"),
        ("stopped",),
    ),
    EventKind(
        "self-test",
        "The token failed its test, or died: the vault ends.",
        ("vault",),
        ("failed",),
        needs_person=ANY,
    ),
    EventKind(
        "access",
        "A caller asked for a service that is not open to it (at most one event a minute each).",
        ("vault", "signer"),
        ("denied",),
        about=("subject",),
        subject="the service",
        needs_person=ANY,
    ),
)
