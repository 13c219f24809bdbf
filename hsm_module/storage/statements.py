"""The statements of every signature, built once: to build one costs more than to run it."""

import functools
from typing import Any, Final

from sqlalchemy import Insert, Select, Table, Update, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.tables import keys, outbox, requests
from signer_core.storage.engine import is_writing

ROW_ID: Final = "the_row_id"
READ_VERSION: Final = "the_read_version"  # what the row had when it was read


def select_key(connection: AsyncConnection) -> Select[Any]:
    """Return the query of a key's row, by `ROW_ID`, with the time once it is locked: `now_s`."""
    return _select_key(connection.dialect.name, lock=is_writing(connection))


def select_request(connection: AsyncConnection) -> Select[Any]:
    """Return the query of a request's row, by `ROW_ID`."""
    return _select_request(lock=is_writing(connection))


def insert_event(connection: AsyncConnection) -> Insert:
    """Return the insertion into the outbox, at the database's time."""
    return _insert_event(connection.dialect.name)


@functools.cache
def _select_key(dialect: str, *, lock: bool) -> Select[Any]:
    by_id = select(keys).where(keys.c.key_id == bindparam(ROW_ID))
    locked = by_id.with_for_update() if lock else by_id
    return select(locked.subquery(), unix_time_s(dialect).label("now_s"))


@functools.cache
def _select_request(*, lock: bool) -> Select[Any]:
    by_id = select(requests).where(requests.c.request_id == bindparam(ROW_ID))
    return by_id.with_for_update() if lock else by_id


@functools.cache
def _insert_event(dialect: str) -> Insert:
    return insert(outbox).values(at_s=unix_time_s(dialect))


def _update(table: Table, row_id: str) -> Update:
    same_row = table.c[row_id] == bindparam(ROW_ID)
    return update(table).where(same_row, table.c.row_version == bindparam(READ_VERSION))


UPDATE_KEY: Final = _update(keys, "key_id")
UPDATE_REQUEST: Final = _update(requests, "request_id")
