"""What is PostgreSQL's own: the settings of a session, dead connections, a server that is away."""

import asyncio
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from signer_core.errors import UnavailableError

DRIVER: Final = "postgresql+asyncpg"  # docs/adr/0006-asyncpg.md
POOL_SIZE: Final = 16  # connections a process: two vaults, two signers, a registrar make 80 of 100
CONNECT_TIMEOUT_S: Final = 5
COMMAND_TIMEOUT_S: Final = 15  # for a server that no longer answers; it has given up by itself then
SESSION: Final = {
    "application_name": "diia-signer",
    "default_transaction_isolation": "read committed",  # rules are row locks and single statements
    "synchronous_commit": "on",  # a commit survives a power cut
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",  # a stopped process must not hold a key for ever
    "jit": "off",  # statements of one row
}
# SQLSTATE classes and codes of a server that cannot do it now (PostgreSQL manual, appendix A):
# connection, rollback, resources, operator, system, internal; lock and idle time-outs.
_AWAY: Final = ("08", "40", "53", "57", "58", "XX", "55P03", "25P03")


def make_postgres_engine(url: str) -> AsyncEngine:
    """Make the engine of a server; `postgresql://` is enough of a scheme."""
    engine = create_async_engine(
        make_url(url).set(drivername=DRIVER),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_use_lifo=True,  # few connections stay warm
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": SESSION,
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _translate)
    return engine


def _refuse_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Make the pool connect anew where the server has hung up meanwhile; costs no round trip."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


def _translate(context: ExceptionContext) -> None:
    error = context.original_exception
    lost = isinstance(error, OSError | TimeoutError)
    if lost and not isinstance(error, asyncio.CancelledError):
        context.is_disconnect = True
    state = getattr(error, "sqlstate", None) or ""
    if lost or (context.is_disconnect and not _is_exit(error)) or state.startswith(_AWAY):
        raise UnavailableError("the database cannot be used now") from None


def _is_exit(error: BaseException | None) -> bool:
    """Tell whether the caller was cancelled: that is no answer of the database."""
    return not isinstance(error, Exception)
