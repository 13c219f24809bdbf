"""Notices of new requests while a page is open: server-sent events from the signer's stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.simulator.web.pages import Visitor
from mobile_share.simulator.web.surroundings import Around, Surroundings
from mobile_share.simulator.web.trouble import PageError
from signer_core.errors import SignerError

_BEAT_S: Final = 15  # a comment, so that a browser that left is noticed
_RETRY_MS: Final = 5000  # before a browser comes back
_MOST: Final = 64  # open streams


routes = APIRouter()


_streams: set[object] = set()  # open ones


@routes.get("/events")
async def events(session: Visitor, around: Around) -> Response:
    """Send the ids of open requests, and of each new one, while the page is open."""
    phone = around.phone(session)
    if not phone.is_enrolled:
        raise PageError("error_choose_phone", 404)
    if len(_streams) >= _MOST:
        raise PageError("error_UnavailableError", 503)
    return StreamingResponse(_counted(phone, around), media_type="text/event-stream")


async def _counted(phone: Phone, around: Surroundings) -> AsyncIterator[str]:
    mark = object()
    _streams.add(mark)
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        with suppress(SignerError):  # the browser comes back
            async with around.connect(phone) as signer:
                async for event in _events(signer):
                    yield event
    finally:
        _streams.discard(mark)


async def _events(signer: SignerClient) -> AsyncIterator[str]:
    found: asyncio.Queue[str | None] = asyncio.Queue()

    async def watch() -> None:
        try:
            async for request_id in signer.watch_requests():
                found.put_nowait(json.dumps({"id": request_id.hex()}))
        finally:
            found.put_nowait(None)

    watching = asyncio.create_task(watch())
    try:
        while True:
            try:
                told = await asyncio.wait_for(found.get(), _BEAT_S)
            except TimeoutError:
                yield ": here\n\n"
                continue
            if told is None:
                return
            yield f"event: request\ndata: {told}\n\n"
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError, SignerError):
            await watching
