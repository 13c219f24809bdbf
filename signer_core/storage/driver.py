"""Connections of our engines, the same for each database: what is under SQLAlchemy's."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

DRIVER: Final = "signer_driver"  # where it is in SQLAlchemy's notes about a connection
WRITE: Final = "signer_write"  # execution option of a connection that will write


class Driver(Protocol):
    """A connection of one task at a time."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run a query; return its rows.

        Raises:
            UnavailableError: the database cannot be used.
        """
        ...

    async def change(self, statement: str, values: Sequence[Any]) -> int:
        """Run a statement that writes; return how many rows it changed. Raises as `fetch`."""
        ...


def find_driver(connection: AsyncConnection) -> Driver:
    """Return what is under a connection of an engine of ours."""
    driver: Driver = connection.info[DRIVER]
    return driver


def mark_writing(connection: AsyncConnection, *, write: bool) -> None:
    """Note whether the transaction that begins now is one that writes."""
    _begun(connection).execution_options(**{WRITE: write})


def is_writing(connection: AsyncConnection) -> bool:
    """Tell whether a connection is in a transaction that writes."""
    return bool(_begun(connection).get_execution_options().get(WRITE, False))


def announce_commit(connection: AsyncConnection) -> None:
    """Tell those who listen for SQLAlchemy's commits of one that goes past it."""
    begun = _begun(connection)
    begun.dispatch.commit(begun)


def _begun(connection: AsyncConnection) -> Connection:
    begun = connection.sync_connection
    assert begun is not None  # noqa: S101  for the type checker: our engines connect at once
    return begun
