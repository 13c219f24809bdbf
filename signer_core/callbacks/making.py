"""A callback is made where its cause happens: in the transaction that approves, once."""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.callbacks.model import Callback, Content
from signer_core.callbacks.result import Approved, has_callback, make_content
from signer_core.callbacks.signature import HEADER, CallbackKey, Claims
from signer_core.sharing.offers.model import Offer
from signer_core.storage.signer.callbacks import Callbacks, read_signed


@dataclass(frozen=True, slots=True)
class CallbackMaking:
    """The hook of approved offers: makes a callback if the partner has an address for them.

    It must not fail because of what is in an offer: that would undo the approval.
    """

    rows: Callbacks
    key: CallbackKey
    clock: Callable[[], datetime]  # UTC
    content: Callable[[Approved], Content] = make_content

    async def __call__(self, connection: AsyncConnection, offer: Offer) -> None:
        """Make the callback of an offer, in the transaction that approves it."""
        asked, address = offer.content, _callback_address(offer.content.relying_party)
        if not address or offer.claimed is None or not has_callback(asked.kind, asked.statement):
            return
        signed = await read_signed(connection, offer.claimed.request_id)
        approved = Approved(offer.offer_id, asked.kind, signed)
        await self._make(connection, asked.relying_party_id, address, approved)

    async def _make(
        self, connection: AsyncConnection, partner_id: str, address: str, approved: Approved
    ) -> None:
        content, now_s = self.content(approved), int(self.clock().timestamp())
        callback_id = secrets.token_bytes(16)
        claims = Claims(callback_id.hex(), partner_id, now_s)
        headers = (
            ("Content-Type", content.media_type),
            ("User-Agent", "diia-signer"),
            ("Idempotency-Key", callback_id.hex()),
            (HEADER, self.key.sign(content.body, claims)),
            *content.headers,
        )
        made = Callback(callback_id, approved.offer_id, partner_id, address, headers, content.body)
        await self.rows.add(connection, made, now_s)


def _callback_address(record: str) -> str:
    """Return the address in a partner's record, which was verified when the offer was made."""
    payload = record.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims.get("callback_address", ""))
