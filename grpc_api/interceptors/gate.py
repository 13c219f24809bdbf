"""What begins something new is refused while the audit log is not kept; what only reads is not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from grpc_api.interceptors.around import Around, Context, Handler, Surround

# Of internal callers; of phones, everything is.
BEGINS: Final = (
    "/signer.internal.v1.SigningService/Create",
    "/signer.internal.v1.OffersService/Create",
    "/signer.internal.v1.PartnersService/Create",
    "/signer.internal.v1.SealService/Seal",
    "/signer.internal.v1.TrustService/Timestamp",
)


def gate_surround(verify_open: Callable[[], None]) -> Surround:
    """Let `verify_open` refuse calls that begin something.

    Raises:
        SignerError: what `verify_open` raises.
    """

    @asynccontextmanager
    async def guarded(_context: Context) -> AsyncIterator[None]:
        verify_open()
        yield

    def guard(method: str, _handler: Handler) -> Around | None:
        return guarded if method.startswith(BEGINS) else None

    return guard
