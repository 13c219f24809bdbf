"""Where browsers wait: one watch an offer, however many of its browsers wait for it."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from grpc_api.clients.offers import OfferState
from portal_web.sign_in.ports import Offers
from portal_web.sign_in.ticker import Ticker
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import OfferId

MAX_WAITING: Final = 2500  # browsers; more are told to come back
MAX_OF_ONE: Final = 4  # browsers, or tabs, of one offer
_PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)  # between attempts to watch again, then always the last

_log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Room:
    """One offer's waiting browsers, and the last state that was heard; it changes as they wait."""

    offer_id: OfferId
    state: OfferState | None = None  # None: nothing heard yet
    is_away: bool = False  # whether the signer does not answer
    failed: SignerError | None = None  # what ended the watch for good
    version: int = 0  # counts changes of the three above
    listeners: set[asyncio.Event] = field(default_factory=set)
    task: asyncio.Task[None] | None = None

    def change(
        self, state: OfferState | None, *, is_away: bool = False, failed: SignerError | None = None
    ) -> None:
        """Take what was heard, and wake whoever listens."""
        self.state, self.is_away, self.failed = state, is_away, failed
        self.version += 1
        for event in self.listeners:
            event.set()


class Rooms:
    """All the waiting of one portal process."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        self._rooms: dict[OfferId, Room] = {}
        self._ticker = Ticker()
        self._waiting = 0

    def check_place(self, offer_id: OfferId) -> None:
        """Refuse one browser too many.

        Raises:
            UnavailableError: too many wait already, for this offer or for all.
        """
        room = self._rooms.get(offer_id)
        if self._waiting >= MAX_WAITING or (room and len(room.listeners) >= MAX_OF_ONE):
            raise UnavailableError("too many browsers wait: try again in a few seconds")

    async def listen(self, offer_id: OfferId) -> AsyncGenerator[Room, None]:
        """Yield the room of an offer now, at each change and at least once a second.

        It ends with a final state, or when the watch ended for good.

        Raises:
            UnavailableError: too many wait already.
        """
        with self._place_in(offer_id) as (room, wake):
            while True:
                await wake.wait()
                wake.clear()
                yield room
                is_final = room.state is not None and room.state.status.is_final
                if is_final or room.failed is not None:
                    return

    @contextmanager
    def _place_in(self, offer_id: OfferId) -> Iterator[tuple[Room, asyncio.Event]]:
        self.check_place(offer_id)
        room = self._rooms.get(offer_id) or self._open(offer_id)
        wake = asyncio.Event()
        if room.version:
            wake.set()
        room.listeners.add(wake)
        self._ticker.add(wake)
        self._waiting += 1
        try:
            yield room, wake
        finally:
            self._waiting -= 1
            self._ticker.remove(wake)
            room.listeners.discard(wake)
            if not room.listeners:
                self._close(room)

    def _open(self, offer_id: OfferId) -> Room:
        room = self._rooms[offer_id] = Room(offer_id)
        room.task = asyncio.create_task(self._follow(room))
        return room

    def _close(self, room: Room) -> None:
        self._rooms.pop(room.offer_id, None)
        if room.task is not None:
            room.task.cancel()

    async def _follow(self, room: Room) -> None:
        """Keep the room's state that of the offer, over every absence of the signer."""
        absences = 0
        while room.state is None or not room.state.status.is_final:
            try:
                async for state in self._offers.watch(room.offer_id):
                    absences = 0
                    room.change(state)
                # It ended without a final state: a signer that stops lets its streams end.
            except UnavailableError:
                room.change(room.state, is_away=True)
            except SignerError as error:
                _log.warning("watch-ended", code=error.code)
                room.change(room.state, failed=error)
                return
            pause_s = _PAUSES_S[min(absences, len(_PAUSES_S) - 1)]
            absences += 1
            # Spread, so that a signer that is back does not hear from everybody at once.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
