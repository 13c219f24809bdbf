"""Prepared statements: on SQLite they go past SQLAlchemy, and nobody can tell by what they do."""

import pytest
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from signer_core.errors import UnavailableError
from signer_core.storage.engine import make_engine, read_transaction, write_transaction
from signer_core.storage.prepared import Prepared

THING = Table(
    "thing",
    MetaData(),
    Column("id", LargeBinary, primary_key=True),
    Column("name", String, nullable=False, server_default="nameless"),
    Column("size", Integer),
)
FIND = Prepared(select(THING.c.name, THING.c.size).where(THING.c.id == bindparam("key")))
ROW = {"id": b"\x00\xff", "name": "x'); DROP TABLE thing; --", "size": 7}


@pytest.fixture
async def engine(make_database):
    made = make_engine(await make_database(None))
    async with write_transaction(made) as connection:
        await connection.execute(CreateTable(THING, if_not_exists=True))
        await connection.execute(THING.delete())
    yield made
    async with write_transaction(made) as connection:
        await connection.execute(THING.delete())
    await made.dispose()


async def find(engine, key):
    async with read_transaction(engine) as connection:
        return await FIND.find(connection, {"key": key})


async def change(engine, prepared, values):
    async with write_transaction(engine) as connection:
        return await prepared.change(connection, values)


async def test_a_row_is_found_by_its_columns_names_or_is_not_there(engine):
    assert await change(engine, Prepared(insert(THING)), ROW) == 1
    assert await find(engine, ROW["id"]) == {"name": ROW["name"], "size": 7}
    assert await find(engine, b"another") is None


async def test_an_insert_takes_the_columns_that_are_given_in_any_order(engine):
    prepared = Prepared(insert(THING))
    await change(engine, prepared, {"size": 1, "name": "one", "id": b"1"})
    await change(engine, prepared, {"name": "two", "id": b"2", "size": 2})
    await change(engine, prepared, {"id": b"3"})
    assert [await find(engine, key) for key in (b"1", b"2", b"3")] == [
        {"name": "one", "size": 1},
        {"name": "two", "size": 2},
        {"name": "nameless", "size": None},
    ]


async def test_an_update_tells_how_many_rows_it_changed(engine):
    same = update(THING).where(THING.c.id == bindparam("key"), THING.c.size == bindparam("read"))
    prepared = Prepared(same)
    await change(engine, Prepared(insert(THING)), ROW)
    for expected in (1, 0):  # the second time it is not the row that was read
        values = {"key": ROW["id"], "read": 7, "size": 8}
        assert await change(engine, prepared, values) == expected
    assert (await find(engine, ROW["id"]))["size"] == 8


async def test_what_it_does_is_undone_with_the_transaction(engine):
    async def fail():
        async with write_transaction(engine) as connection:
            await Prepared(insert(THING)).change(connection, ROW)
            assert await FIND.find(connection, {"key": ROW["id"]})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await find(engine, ROW["id"]) is None


async def test_a_database_that_is_gone_is_unavailable(tmp_path):
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    async with read_transaction(engine) as connection:
        with pytest.raises(UnavailableError):
            await FIND.find(connection, {"key": b""})
    await engine.dispose()
