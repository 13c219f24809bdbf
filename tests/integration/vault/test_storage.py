"""The vault's database: migrations, durable commits a signature, cancelled transactions."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from hsm_module.storage.beside import Beside
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.tables import metadata
from signer_core.audit.events import Event
from signer_core.storage.engine import write_transaction


async def test_migrations_make_the_tables_that_the_code_uses(world):
    async with world.engines[0].connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


async def test_a_signature_takes_four_durable_commits_two_of_them_after_the_pin(world):
    """Step 3, the count, the verdict, the ack; registering the request is the signer's own."""
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    commits = []

    @event.listens_for(world.engines[0].sync_engine, "commit")
    def count(connection):
        commits.append(connection.get_execution_options().get("signer_write", False))

    await session.to_openings()
    assert sum(commits) == 1
    signed = await session.sign()
    assert sum(commits) == 3
    await session.acknowledge(signed)
    assert sum(commits) == 4


DURABLE = {
    "sqlite": {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": 2},  # 2 is FULL
    "postgresql": {
        "SHOW synchronous_commit": "on",
        "SHOW fsync": "on",
        "SHOW transaction_isolation": "read committed",
    },
}


async def test_commits_are_durable(world, backend):
    async with write_transaction(world.engines[0]) as connection:
        for question, answer in DURABLE[backend].items():
            assert (await connection.exec_driver_sql(question)).scalar_one() == answer


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(world):
    store = world.vault.context.store
    inside = asyncio.Event()

    async def hang() -> None:
        async with store.transaction() as transaction:
            await transaction.record(Event("request", "opened"))
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2), store.transaction() as transaction:
        await transaction.record(Event("request", "burned"))
    assert (await world.row("outbox"))["result"] == "burned"


@pytest.mark.parametrize("has_request", [True, False])
async def test_a_key_its_request_and_its_share_are_read_of_one_state(world, has_request):
    """Else a share that is wrapped anew meanwhile would look altered."""
    phone = await world.citizen()
    ask = await world.request(phone)
    request_id = ask.request_id if has_request else None
    async with world.vault.context.store.reading_once() as transaction:
        await transaction.keys.get(phone.key_id, Beside(request_id, 0))
        await world.edit("share_records", {"blob": b"later"}, key_id=phone.key_id)
        await world.edit("requests", {"kind": "later"}, request_id=ask.request_id)
        assert (await transaction.records.get_share(phone.key_id, 0))[1] != b"later"
        if request_id is not None:
            assert (await transaction.requests.get(request_id)).kind != "later"
        with pytest.raises(AlteredRowError):  # what was fetched is used once
            await transaction.requests.get(ask.request_id)
