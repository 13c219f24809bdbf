"""Whose a phone is: one person's, or nobody's."""

import pytest

from signer_core.errors import VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.storage.engine import make_engine, upgrade, write_transaction
from signer_core.storage.registrar.codes import ActivationCodes, StoredGrant
from signer_core.storage.registrar.tables import MIGRATIONS, activation_codes

DEVICE = DeviceKeyHash(b"d" * 32)


@pytest.fixture
async def engine(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/registrar.db"
    await upgrade(url, MIGRATIONS)
    engine = make_engine(url)
    yield engine
    await engine.dispose()


async def owner(engine, *codes):
    async with write_transaction(engine) as connection:
        for number, (person, key_id) in enumerate(codes):
            code_hash = bytes([number]) * 32
            await ActivationCodes(connection).insert(code_hash, person, 1)
            await connection.execute(
                activation_codes.update()
                .where(activation_codes.c.code_hash == code_hash)
                .values(device_key_hash=DEVICE)
            )
            if key_id:
                grant = StoredGrant(KeyId(key_id), "jws", 1)
                await ActivationCodes(connection).grant(code_hash, grant)
        return await ActivationCodes(connection).find_owner(DEVICE)


async def test_nothing_granted_is_nobody(engine):
    assert await owner(engine, ("anna", b"")) is None


async def test_keys_are_those_that_were_granted(engine):
    found = await owner(engine, ("anna", b"k" * 16), ("anna", b""), ("anna", b"l" * 16))
    assert found is not None
    assert (found.person_id, sorted(found.key_ids)) == ("anna", [b"k" * 16, b"l" * 16])


async def test_a_phone_of_two_persons_is_refused(engine):
    with pytest.raises(VerificationError):
        await owner(engine, ("anna", b"k" * 16), ("bohdan", b"l" * 16))
