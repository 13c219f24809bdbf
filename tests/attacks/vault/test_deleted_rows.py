"""Rows that are gone, and a clock that went back: refused, or a longer wait; no wrong answer."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from signer_core.errors import KeyHeldError, NotFoundError, SignerError, VerificationError
from signer_core.identifiers import RequestId
from signer_core.storage.engine import write_transaction
from tests.fakes.vault_phone import PhoneSigning

HOUR_S = 3600


async def delete(world, table, **where):
    """Delete a row behind the vault's back, whatever refers to it."""
    ((column, value),) = where.items()
    if world.engines[0].dialect.name == "postgresql":
        async with write_transaction(world.engines[0]) as connection:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            statement = text(f"DELETE FROM {table} WHERE {column} = :value")
            assert (await connection.execute(statement, {"value": value})).rowcount == 1
        return
    with closing(sqlite3.connect(world.engines[0].url.database)) as other:  # no foreign keys
        assert other.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,)).rowcount == 1
        other.commit()


async def test_a_deleted_share_record_is_refused_and_audited(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await delete(world, "share_records", key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()
    assert ("row-altered", "share_records") in await world.events(phone)


async def test_a_deleted_certificate_is_refused_and_audited(world):
    phone = await world.citizen()
    await delete(world, "certificates", key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    assert ("row-altered", "certificates") in await world.events(phone)


async def test_a_deleted_key_signs_nothing(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await delete(world, "keys", key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()


async def test_a_deleted_request_is_not_signed_nor_counted(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    await delete(world, "requests", request_id=ask.request_id)
    with pytest.raises(NotFoundError):
        await session.sign()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0
    with pytest.raises(NotFoundError):
        await world.vault.requests.result(RequestId(ask.request_id))


async def test_a_deleted_authorisation_enrols_no_second_key_of_its_id(world):
    phone = await world.citizen()
    await delete(world, "consumed_authorisations", key_id=phone.key_id)
    with pytest.raises(SignerError):
        await phone.enrol(world.connect(phone))
    await PhoneSigning(phone, world.connect(phone), await world.request(phone)).run()


async def test_a_clock_an_hour_back_shortens_no_wait(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    for _ in range(3):
        with pytest.raises(SignerError):
            await world.try_wrong_pin(phone, ask)
    held = (await world.row("keys", key_id=phone.key_id))["hold_until_s"]
    world.clock.ahead_s -= HOUR_S
    with pytest.raises(KeyHeldError) as refused:
        await world.signing(phone, ask).to_openings()
    assert refused.value.hold_until_s == held


async def test_a_clock_an_hour_back_signs_on(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    world.clock.ahead_s -= HOUR_S
    await world.signing(phone, ask).run()
