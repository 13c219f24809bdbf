"""A phone folder and a deployment around it."""

import pytest

from mobile_share import enrolment, signing, transfer
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.pin import Argon2Parameters
from mobile_share.share_file import masking
from tests.fakes.citizen import NOW
from tests.fakes.phone_world import CODE, World

PIN = "48213"


@pytest.fixture(autouse=True)
def cheap_argon2(monkeypatch):
    cheap = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
    monkeypatch.setattr(masking, "Argon2Parameters", lambda: cheap)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def phone(world, tmp_path):
    folder = tmp_path / "phone"
    return Phone(folder, FileKeyStore(folder), world.deployment)


async def enrol(phone, world, pin=PIN):
    begun = await enrolment.begin(phone, world.signer, CODE, b"photo", NOW)
    await enrolment.make_shares(phone, world.signer, begun.grant, pin)
    return await enrolment.certify(phone, world.signer, begun, pin, NOW)


@pytest.fixture
async def enrolled(phone, world):
    await enrol(phone, world)
    return phone


async def sign(phone, world, request_id, pin=PIN):
    request = await signing.fetch_request(phone, world.signer, request_id, NOW)
    async with signing.prepare(phone, world.signer, request, b"photo") as prepared:
        return await prepared.sign(pin)


async def change_pin(phone, world, pin=PIN, new_pin="90817", use="pin-change"):
    async with transfer.prepare(phone, world.signer, use, b"photo") as prepared:
        signed = await prepared.make(pin, new_pin)
    await transfer.use_first(phone, world.signer, b"photo", new_pin)
    return signed
