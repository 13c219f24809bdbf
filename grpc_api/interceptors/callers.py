"""Who may call which service: a table in the settings, by the names in client certificates."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from grpc_api.interceptors.around import Around, Context, Handler, Surround
from grpc_api.interceptors.peer import peer_names
from grpc_api.interceptors.provenance import bind_process
from signer_core.audit.events import Event
from signer_core.errors import DeniedError

Callers = Mapping[str, Sequence[str]]
"""Full name of a service: DNS names of the processes that may call it."""
OnDenied = Callable[[Event], Awaitable[None]]


async def unrecorded(_event: Event) -> None:
    """Record nothing: for a process without an outbox."""


def caller_surround(callers: Callers, on_denied: OnDenied = unrecorded) -> Surround:
    """Let only listed callers in; a service that is not listed can be called by nobody."""
    table = {service: frozenset(names) for service, names in callers.items()}

    def guard(method: str, _handler: Handler) -> Around:
        service = method.split("/")[1]
        allowed = table.get(service, frozenset())
        return lambda context: _allowed_only(context, allowed, service)

    @asynccontextmanager
    async def _allowed_only(
        context: Context, allowed: frozenset[str], service: str
    ) -> AsyncIterator[None]:
        names = peer_names(context)
        bind_process(context, names)
        if not allowed & names:
            await on_denied(Event("access", "denied", subject=service))
            raise DeniedError("this caller may not use this service")
        yield

    return guard
