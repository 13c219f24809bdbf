"""What a waiting page is told: server-sent events (HTML Living Standard §9.2).

| event | data |
|---|---|
| `code` | the QR code of this second, `QrCode.packed` |
| `state` | JSON: `status` of the offer, and the verification `number` once it is on a phone |
| `away` | nothing: the signer does not answer now |
| `gone` | nothing: load the page again, it says why |
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from grpc_api.clients.offers import OfferState, OfferStatus
from portal_web.sign_in.rooms import Room, Rooms
from signer_core.identifiers import OfferId

_QUIET_TICKS: Final = 15  # seconds until something is said, so that no proxy thinks us dead


async def events(
    rooms: Rooms, offer_id: OfferId, code_now: Callable[[], str] | None
) -> AsyncIterator[str]:
    """Yield what one browser is told until the offer is over; `code_now` gives its QR code."""
    told_version, ticks = -1, 0
    async with aclosing(rooms.listen(offer_id)) as changes:
        async for room in changes:
            if room.version != told_version:
                told_version = room.version
                yield _change(room)
            if code_now is not None and _is_open(room):
                yield _event("code", code_now())
                continue
            ticks += 1
            if ticks % _QUIET_TICKS == 0:
                yield ": still here\n\n"


def _is_open(room: Room) -> bool:
    if room.state is None or room.is_away or room.failed is not None:
        return False
    return room.state.status is OfferStatus.OPEN


def _change(room: Room) -> str:
    if room.failed is not None:
        return _event("gone", "")
    if room.is_away or room.state is None:
        return _event("away", "")
    return _event("state", _told(room.state))


def _told(state: OfferState) -> str:
    return json.dumps({"status": state.status, "number": state.verification_number})


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
