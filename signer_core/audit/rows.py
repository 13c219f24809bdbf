"""An event as a row of an outbox, in the vault's database and in the signer's alike."""

import secrets
from typing import Any

from signer_core.audit.events import Event


def to_outbox(event: Event) -> dict[str, Any]:
    """Return the columns of a new row, all but its time; the id makes it count once."""
    return {
        "event_id": secrets.token_bytes(16),
        "event": event.name,
        "key_id": event.key_id,
        "request_id": event.request_id,
        "result": event.result,
        "reason": event.reason,
        "subject": event.subject,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "source": event.source,
        "correlation_id": event.correlation_id,
    }
