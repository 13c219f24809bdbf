"""Bodies of requests from anybody: read as far as they may be long, and no further."""

import asyncio
from typing import Final

from fastapi import Request

MAX_DRAINED_BYTES: Final = 32 << 20  # read and dropped, so that the caller hears the answer
_BODY_TIMEOUT_S: Final = 15.0


async def read_body(request: Request, limit: int) -> bytes | None:
    """Return the body, or None if it is longer than `limit` bytes or takes over 15 s.

    Never more than `limit` bytes of it are in memory.
    """
    kept = bytearray()
    seen = 0
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            async for chunk in request.stream():
                seen += len(chunk)
                if seen <= limit:
                    kept += chunk
                if seen > MAX_DRAINED_BYTES:
                    return None
    except TimeoutError:
        return None
    return bytes(kept) if seen <= limit else None
