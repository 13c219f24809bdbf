"""One id for everything that one action causes, in every process's log."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from grpc_api.interceptors.around import Around, Context, Handler
from grpc_api.metadata import CORRELATION_KEY

_FORM = re.compile(r"[0-9a-f]{32}")


def correlation_surround(_method: str, _handler: Handler) -> Around:
    """Bind the caller's correlation id, or a new one, to the logs of the call."""
    return _bound


@asynccontextmanager
async def _bound(context: Context) -> AsyncIterator[None]:
    sent = [value for key, value in context.invocation_metadata() or () if key == CORRELATION_KEY]
    known = len(sent) == 1 and isinstance(sent[0], str) and _FORM.fullmatch(sent[0])
    correlation_id = sent[0] if known else uuid.uuid4().hex
    # Bound for the rest of the call's own task: the error interceptor logs after this one ends.
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
    yield
