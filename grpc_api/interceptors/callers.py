"""Who may call which service: a table in the settings, by the names in client certificates."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from grpc_api.interceptors.around import Around, Context, Handler, SurroundInterceptor
from grpc_api.interceptors.peer import peer_names
from signer_core.errors import DeniedError

Callers = Mapping[str, Sequence[str]]
"""Full name of a service: DNS names of the processes that may call it."""


def caller_interceptor(callers: Callers) -> SurroundInterceptor:
    """Let only listed callers in; a service that is not listed can be called by nobody."""
    table = {service: frozenset(names) for service, names in callers.items()}

    def guard(method: str, _handler: Handler) -> Around:
        allowed = table.get(method.split("/")[1], frozenset())
        return lambda context: _allowed_only(context, allowed)

    return SurroundInterceptor(guard)


@asynccontextmanager
async def _allowed_only(context: Context, allowed: frozenset[str]) -> AsyncIterator[None]:
    if not allowed & peer_names(context):
        raise DeniedError("this caller may not use this service")
    yield
