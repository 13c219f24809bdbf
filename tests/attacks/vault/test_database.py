"""An edited database: refused and audited, never repaired (docs/spec/ecdsa2p.md §7)."""

import pytest
from sqlalchemy.exc import DBAPIError

from hsm_module.storage.tables import keys, requests, share_records
from signer_core.errors import SignerError, VerificationError
from signer_core.identifiers import RequestId
from tests.fakes.vault_phone import PhoneSigning

KEY_COLUMNS = [column.name for column in keys.columns if column.name != "key_id"]
REQUEST_COLUMNS = [column.name for column in requests.columns if column.name != "request_id"]


def another(column, value):
    """Return another value of the column's type; something where there was nothing."""
    if value is None:
        return {bytes: b"\x01" * 32, str: "x", int: 1}[column.type.python_type]
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return bytes([value[0] ^ 1]) + value[1:] if value else b"\x01"


@pytest.mark.parametrize("column", KEY_COLUMNS)
async def test_every_column_of_a_key_is_under_the_mac(world, column):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("keys", key_id=phone.key_id)
    await world.edit("keys", {column: another(keys.c[column], before[column])}, key_id=phone.key_id)
    edited = await world.row("keys", key_id=phone.key_id)
    assert edited[column] != before[column]
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()
    with pytest.raises(VerificationError):
        await world.vault.keys.key_state(phone.key_id)
    assert await world.row("keys", key_id=phone.key_id) == edited
    assert ("row-altered", "keys") in await world.events(phone)


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "active"), ("failed", 0), ("hold_until_s", 0), ("failed", "0"), ("mac", None)],
)
async def test_a_value_of_another_type_or_a_plausible_one_is_refused(world, backend, column, value):
    phone = await world.citizen()
    ask = await world.request(phone)
    for _ in range(3):
        with pytest.raises(SignerError):
            await world.try_wrong_pin(phone, ask)
    if column == "status":
        value = "suspended"
    if column == "mac":
        value = "text"
    if backend == "postgresql" and value in ("0", "text"):  # columns have types there
        with pytest.raises(DBAPIError):
            await world.edit("keys", {column: value}, key_id=phone.key_id)
        return
    await world.edit("keys", {column: value}, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.key_state(phone.key_id)


@pytest.mark.parametrize("column", REQUEST_COLUMNS)
async def test_every_column_of_a_request_is_under_the_mac(world, column):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("requests", request_id=ask.request_id)
    await world.edit(
        "requests", {column: another(requests.c[column], before[column])}, request_id=ask.request_id
    )
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()
    with pytest.raises(VerificationError):
        await world.vault.requests.result(RequestId(ask.request_id))
    row = await world.row("outbox", event="row-altered", id=await last_event(world))
    assert (row["reason"], row["request_id"]) == ("requests", ask.request_id)


async def last_event(world):
    async with world.engines[0].connect() as connection:
        return (await connection.exec_driver_sql("SELECT max(id) FROM outbox")).scalar_one()


@pytest.mark.causes("row-altered")
async def test_a_consumed_request_edited_open_is_not_signed_again(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await world.signing(phone, ask).run()
    await world.edit("requests", {"state": "open", "items": None}, request_id=ask.request_id)
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()


async def test_a_request_altered_after_step_4_is_not_signed_nor_counted(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    await world.edit("requests", {"request_hash": bytes(32)}, request_id=ask.request_id)
    with pytest.raises(VerificationError):
        await session.sign()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0


@pytest.mark.parametrize("column", ["blob", "kek_id"])
async def test_an_edited_share_record_is_refused(world, column):
    phone = await world.citizen()
    ask = await world.request(phone)
    before = await world.row("share_records", key_id=phone.key_id)
    changes = {column: another(share_records.c[column], before[column])}
    await world.edit("share_records", changes, key_id=phone.key_id)
    await refused_share(world, phone, ask)


async def refused_share(world, phone, ask):
    with pytest.raises(VerificationError):
        await world.signing(phone, ask).run()
    assert ("row-altered", "share_records") in await world.events(phone)


async def test_the_share_record_of_another_key_is_refused(world):
    phone, other = await world.citizen(), await world.citizen()
    ask = await world.request(phone)
    stolen = (await world.row("share_records", key_id=other.key_id))["blob"]
    await world.edit("share_records", {"blob": stolen}, key_id=phone.key_id)
    await refused_share(world, phone, ask)


async def test_an_earlier_share_record_of_the_same_key_is_refused(world):
    """The wrapping is right; only the hash in the key's row tells that it is another one."""
    phone = await world.citizen()
    ask = await world.request(phone)
    stored = await world.row("share_records", key_id=phone.key_id)
    records = world.vault.context.records
    sealed = (stored["kek_id"], stored["blob"])
    record = await records.unwrap("share", phone.key_id, 0, sealed)
    again = await records.wrap("share", phone.key_id, 0, record)
    await world.edit("share_records", {"blob": again}, key_id=phone.key_id)
    await refused_share(world, phone, ask)


async def test_a_share_record_is_bound_to_its_key_by_the_token_too(world):
    """The wrapping alone refuses it, whatever the row's hash says."""
    phone, other = await world.enrol(), await world.enrol()
    stolen = await world.row("share_records", key_id=other.key_id)
    records = world.vault.context.records
    sealed = (stolen["kek_id"], stolen["blob"])
    await records.unwrap("share", other.key_id, 0, sealed)
    for record, key_id, generation in [
        ("share", phone.key_id, 0),
        ("share", other.key_id, 1),
        ("epoch-key", other.key_id, 0),
    ]:
        with pytest.raises(VerificationError):
            await records.unwrap(record, key_id, generation, sealed)


async def test_the_certificate_of_another_person_is_refused(world):
    phone, other = await world.citizen(), await world.citizen()
    stolen = (await world.row("certificates", key_id=other.key_id))["blob"]
    await world.edit("certificates", {"blob": stolen}, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    assert ("row-altered", "certificates") in await world.events(phone)


async def test_another_certificate_of_the_same_key_is_refused(world):
    phone = await world.citizen()
    records = world.vault.context.records
    blob = await records.wrap("certificate", phone.key_id, 0, b"another certificate")
    await world.edit("certificates", {"blob": blob}, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    assert ("row-altered", "certificates") in await world.events(phone)


async def test_the_whole_row_of_another_key_is_refused(world):
    phone, other = await world.enrol(), await world.enrol()
    stolen = await world.row("keys", key_id=other.key_id)
    del stolen["key_id"]
    await world.edit("keys", stolen, key_id=phone.key_id)
    with pytest.raises(VerificationError):
        await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()
