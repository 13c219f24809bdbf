"""The vault's audit service and its officers, in memory."""

import secrets
import time
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.admin.officers import Officer, Role
from signer_core.audit.checkpoint import Checkpoint, checkpoint_text, signed_note
from signer_core.audit.leaf import Recorded
from signer_core.audit.merkle import EMPTY_ROOT, verify_consistency
from signer_core.errors import UnavailableError


def recorded(event="sign", result="signed", **changes):
    """Return an event as an outbox holds it."""
    return replace(
        Recorded(
            event_id=secrets.token_bytes(16),
            at_s=int(time.time()),
            event=event,
            result=result,
            reason="",
            subject="",
            actor_kind="phone",
            actor_id="ab" * 32,
            source="192.0.2.1",
            correlation_id="cd" * 16,
            key_id=b"k" * 16,
            request_id=None,
        ),
        **changes,
    )


@dataclass
class FakeVaultAudit:
    """Events that wait, and a key that signs trees that grow."""

    events: list = field(default_factory=list)
    acknowledged: list = field(default_factory=list)
    head: tuple = (0, EMPTY_ROOT)
    away: bool = False
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    async def fetch(self, limit):
        self._answer()
        return self.events[:limit]

    async def acknowledge(self, event_ids):
        self._answer()
        self.acknowledged += event_ids
        self.events = [one for one in self.events if one.event_id not in set(event_ids)]

    async def head_size(self):
        self._answer()
        return self.head[0]

    async def sign_checkpoint(self, size, root, proof):
        self._answer()
        verify_consistency(self.head[0], size, self.head[1], root, proof)
        self.head = (size, root)
        text = checkpoint_text("vault-1", Checkpoint(size, root, int(time.time())))
        signature = self.key.sign(text, ec.ECDSA(hashes.SHA256()))
        return signed_note(text, self.key.public_key(), signature)

    def _answer(self):
        if self.away:
            raise UnavailableError("the vault is away")


@dataclass
class FakeOfficers:
    """Whoever is in the table is an officer or an auditor."""

    roles: dict = field(default_factory=dict)  # by officer id

    async def find_officer(self, claim):
        role = self.roles.get(claim.officer_id)
        if role is None:
            return None
        return Officer(claim.officer_id, Role(role), claim.key_hash, True, 0)
