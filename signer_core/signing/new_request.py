"""What a caller asks for, before anything is checked against the world."""

import hashlib
import json
from dataclasses import dataclass, field

from signer_core.signing import rules
from signer_core.signing.model import Origin


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be signed."""

    name: str = field(repr=False)
    pdf: bytes = field(repr=False)
    visible: bool = False
    page: int = 0  # of the stamp, 1 is the first; 0 means the last


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A caller's wish; the same `idempotency_key` with the same content is the same wish."""

    caller: str  # DNS name of the caller's certificate
    idempotency_key: str
    person_code: str = field(repr=False)
    relying_party_id: str
    purpose: str = field(repr=False)
    return_address: str = field(repr=False)
    ttl_s: int
    files: tuple[NewFile, ...]

    def check(self) -> None:
        """Check everything that needs no look elsewhere.

        Raises:
            InvalidRequestError: a text, a count, a size or the time is not allowed.
        """
        rules.check_text("the idempotency key", self.idempotency_key, 1, 64)
        rules.check_text("the person code", self.person_code, 1, 64)
        rules.check_text("the purpose", self.purpose, 1, rules.MAX_PURPOSE_CHARACTERS)
        rules.check_ttl(self.ttl_s)
        rules.check_names([file.name for file in self.files])
        rules.check_sizes([len(file.pdf) for file in self.files])

    def origin(self) -> Origin:
        """Return who asks, with a hash over all that is asked, bytes of files included."""
        header = [
            self.person_code,
            self.relying_party_id,
            self.purpose,
            self.return_address,
            self.ttl_s,
            [[f.name, hashlib.sha256(f.pdf).hexdigest(), f.visible, f.page] for f in self.files],
        ]
        fingerprint = hashlib.sha256(json.dumps(header).encode()).digest()
        return Origin(self.caller, self.idempotency_key, fingerprint)
