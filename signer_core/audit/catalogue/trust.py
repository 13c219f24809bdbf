"""Events of the trust services."""

from typing import Final

from signer_core.audit.catalogue.officers import GROUNDS
from signer_core.audit.kinds import ANY, EventKind
from signer_core.pki.status import Reason

KINDS: Final[tuple[EventKind, ...]] = (
    EventKind(
        "certificate-status",
        "A certificate was suspended or revoked: OCSP says so at once, a CRL within a minute.",
        ("vault",),
        ("suspended", "revoked"),
        tuple(reason.value for reason in Reason if reason is not Reason.NONE),
        about=("key", "subject"),
        subject="issuer and serial number",
    ),
    EventKind(
        "own-certificate",
        "The vault issued a certificate for a key of its own token.",
        ("vault",),
        ("issued",),
        about=("subject",),
        subject="label of the key",
    ),
    EventKind(
        "process-certificate",
        "The vault certified one of the system's processes anew, for its own names and key; or an"
        " officer revoked such a certificate.",
        ("vault",),
        ("renewed", "revoked"),
        ("", *GROUNDS),
        about=("subject",),
        subject="name of the process; or serial number, and the ticket that the officer named",
        needs_person=frozenset({"revoked"}),
    ),
    EventKind(
        "timestamp-clock",
        "The clock is behind the time of an earlier timestamp: no timestamp is made.",
        ("vault",),
        ("went-back",),
        needs_person=ANY,
    ),
)
