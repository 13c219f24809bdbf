"""Events of seals."""

from typing import Final

from signer_core.audit.catalogue.officers import GROUNDS
from signer_core.audit.kinds import EventKind

KINDS: Final[tuple[EventKind, ...]] = (
    EventKind(
        "seal-rule",
        "The vault was told, by its settings or an officer, whose a seal is and who may use it; or"
        " an officer ended it: certificates and key.",
        ("vault",),
        ("set", "retired"),
        ("", *GROUNDS),
        about=("subject",),
        subject="name of the seal",
        needs_person=frozenset({"retired"}),
    ),
    EventKind(
        "seal-use",
        "Somebody asked for signatures of a seal; the actor is who asked the signer.",
        ("vault",),
        ("made", "refused"),
        ("", "stranger", "unknown-seal", "not-attributes", "not-good", "retired"),
        about=("subject",),
        subject="name of the seal, a slash, and the number of signatures",
        needs_person=frozenset({"stranger", "not-attributes"}),
    ),
    EventKind(
        "seal-level",
        "A timestamp or an answer about revocation was away: a seal has a lower level than asked.",
        ("signer",),
        ("lowered", "repaired"),
        about=("request", "subject"),
        subject="level asked, a slash, and the level reached",
    ),
)
