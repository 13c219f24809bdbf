"""What is PostgreSQL's own: the settings of a session, and what its errors say."""

from typing import Any, Final

from sqlalchemy import NullPool, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from signer_core.errors import UnavailableError
from signer_core.storage.driver import DRIVER
from signer_core.storage.postgres_driver import PostgresDriver, is_away
from signer_core.storage.postgres_engine import PostgresEngine

DIALECT: Final = "postgresql+asyncpg"  # docs/adr/0006-asyncpg.md
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


def make_postgres_engine(url: str) -> PostgresEngine:
    """Make the engine of a server; `postgresql://` is enough of a scheme."""
    engine = create_async_engine(
        make_url(url).set(drivername=DIALECT),
        isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are `PostgresEngine`'s
        poolclass=NullPool,  # and so are connections between transactions
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": SESSION,
        },
    )
    event.listen(engine.sync_engine, "connect", _note_driver)
    event.listen(engine.sync_engine, "handle_error", _translate)
    return PostgresEngine(engine.sync_engine)


def _note_driver(dbapi_connection: Any, record: Any) -> None:
    record.info[DRIVER] = PostgresDriver(dbapi_connection.driver_connection)


def _translate(context: ExceptionContext) -> None:
    error = context.original_exception
    if not isinstance(error, Exception):  # cancelled: an answer to our caller, no database's
        return
    if is_away(error) or context.is_disconnect:
        context.is_disconnect |= isinstance(error, OSError | TimeoutError)
        raise UnavailableError("the database cannot be used now") from None
