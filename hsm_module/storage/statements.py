"""The statements of every signature, built once: to build one costs more than to run it."""

import functools
from typing import Any, Final

from sqlalchemy import Select, Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.tables import keys, outbox, requests, share_records
from signer_core.storage.engine import is_writing
from signer_core.storage.prepared import Prepared

ROW_ID: Final = "the_row_id"
GENERATION: Final = "the_generation"
READ_VERSION: Final = "the_read_version"  # what the row had when it was read


def select_key(connection: AsyncConnection) -> Prepared:
    """Return the query of a key's row, by `ROW_ID`, with the time once it is locked: `now_s`."""
    return _select_key(connection.dialect.name, lock=is_writing(connection))


def select_request(connection: AsyncConnection) -> Prepared:
    """Return the query of a request's row, by `ROW_ID`."""
    return _select_request(lock=is_writing(connection))


def insert_event(connection: AsyncConnection) -> Prepared:
    """Return the insertion into the outbox, at the database's time."""
    return _insert_event(connection.dialect.name)


@functools.cache
def _select_key(dialect: str, *, lock: bool) -> Prepared:
    by_id = _by_id(keys, "key_id", lock=lock)
    return Prepared(select(by_id.subquery(), unix_time_s(dialect).label("now_s")))


@functools.cache
def _select_request(*, lock: bool) -> Prepared:
    return Prepared(_by_id(requests, "request_id", lock=lock))


@functools.cache
def _insert_event(dialect: str) -> Prepared:
    return Prepared(insert(outbox).values(at_s=unix_time_s(dialect)))


def _by_id(table: Table, row_id: str, *, lock: bool) -> Select[Any]:
    by_id = select(table).where(table.c[row_id] == bindparam(ROW_ID))
    return by_id.with_for_update() if lock else by_id


def _update(table: Table, row_id: str) -> Prepared:
    same_row = table.c[row_id] == bindparam(ROW_ID)
    return Prepared(update(table).where(same_row, table.c.row_version == bindparam(READ_VERSION)))


UPDATE_KEY: Final = _update(keys, "key_id")
UPDATE_REQUEST: Final = _update(requests, "request_id")
SELECT_SHARE: Final = Prepared(
    select(share_records.c.kek_id, share_records.c.blob).where(
        share_records.c.key_id == bindparam(ROW_ID),
        share_records.c.generation == bindparam(GENERATION),
    )
)
