"""The statements of every signature, built once: to build one costs more than to run it."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.beside import label
from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.sealing import MAC_COLUMN
from hsm_module.storage.tables import ID, keys, outbox, requests, share_records
from signer_core.storage.driver import is_writing
from signer_core.storage.prepared import Prepared
from signer_core.storage.together import Together

ROW_ID: Final = "the_row_id"
REQUEST_ID: Final = "the_request_id"
GENERATION: Final = "the_generation"
READ_VERSION: Final = "the_read_version"  # what the row had when it was read
_KNOWN: Final = "known_"  # before a column's name: what it is known to hold
_NOT_BEFORE: Final = "not_before"
_NOT_AFTER: Final = "not_after"


def select_key(connection: AsyncConnection) -> Prepared:
    """Return the query of a key's row, by `ROW_ID`, with the time once it is locked: `now_s`."""
    return _select_key(connection.dialect.name, lock=is_writing(connection))


def select_key_beside(connection: AsyncConnection) -> Prepared:
    """Return the query of a key's row and what stands `beside` it.

    Where rows are locked: a request, by `REQUEST_ID`, and no row at all where there is none. Else a
    request and a share, by `GENERATION`, or nothing in their columns.
    """
    return _select_key_beside(connection.dialect.name, lock=is_writing(connection))


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
def _select_key_beside(dialect: str, *, lock: bool) -> Prepared:
    this = keys.c.key_id == bindparam(ROW_ID)
    request = requests.c.request_id == bindparam(REQUEST_ID, type_=ID)
    if lock:  # the key first, as everywhere
        both = keys.join(requests, request)
        found = select(keys, *_labelled(requests)).select_from(both).where(this).with_for_update()
    else:
        share = (share_records.c.key_id == keys.c.key_id) & (
            share_records.c.generation == bindparam(GENERATION)
        )
        all_three = keys.outerjoin(requests, request).outerjoin(share_records, share)
        columns = (*_labelled(requests), *_labelled(share_records))
        found = select(keys, *columns).select_from(all_three).where(this)
    return Prepared(select(found.subquery(), unix_time_s(dialect).label("now_s")))


def _labelled(table: Table) -> list[Label[Any]]:
    return [one.label(label(table, one.name)) for one in table.c]


@functools.cache
def _select_request(*, lock: bool) -> Prepared:
    return Prepared(_by_id(requests, "request_id", lock=lock))


@functools.cache
def _insert_event(dialect: str) -> Prepared:
    return Prepared(insert(outbox).values(at_s=unix_time_s(dialect)))


def as_known(row_id: str, columns: Mapping[str, Any], mac: bytes) -> dict[str, Any]:
    """Return what says in a `swap` which row is meant: every column as it is known, and the MAC."""
    known = {f"{_KNOWN}{name}": value for name, value in columns.items()}
    return known | {f"{_KNOWN}{MAC_COLUMN}": mac, ROW_ID: columns[row_id]}


@functools.cache
def swap(dialect: str, *, request: bool, events: int) -> Together:
    """Return the change of a key, perhaps of a request, and events, where rows are `as_known`.

    And provided that it is `at_about` the time that was reckoned, once they are locked.
    """
    return Together(
        [
            _swap(keys, "key_id"),
            *([_swap(requests, "request_id")] if request else []),
            *[insert(outbox).values(at_s=unix_time_s(dialect))] * events,
        ],
        provided=_is_about_now(dialect),
    )


def at_about(now_s: int) -> dict[str, int]:
    """Return what says in a `swap` when it is: its rules were asked about this second."""
    return {_NOT_BEFORE: now_s, _NOT_AFTER: now_s + 1}


def _is_about_now(dialect: str) -> ColumnElement[bool]:
    return unix_time_s(dialect).between(
        bindparam(_NOT_BEFORE, type_=BigInteger), bindparam(_NOT_AFTER, type_=BigInteger)
    )


def _swap(table: Table, row_id: str) -> Update:
    as_known = [
        one.is_not_distinct_from(bindparam(f"{_KNOWN}{one.name}", type_=one.type))
        for one in table.c
    ]
    return update(table).where(table.c[row_id] == bindparam(ROW_ID), *as_known)


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
