"""Which form of attributes a key signs follows from the kind that was registered (§6)."""

import dataclasses
from datetime import timedelta

import pytest

from signer_core.documents import detached_attributes, signed_attributes
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.request_kind import DETACHED, OF_CHALLENGE
from tests.attacks.vault.test_requests import refused

DAY = timedelta(days=1)
MINUTES = timedelta(minutes=5)


async def ask_detached(world, phone, kind, files=1, *, hashes=None, age=timedelta()):
    """Register a request; return what a phone asks for it, with attributes of this age."""
    registration = world.registration(phone, files, kind=kind)
    await world.vault.requests.register(registration)
    chain = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    at = world.clock.now().replace(microsecond=0) - age
    items = tuple(
        Item("cms", detached_attributes(one, chain.certificate, at))
        for one in hashes or registration.file_hashes
    )
    return dataclasses.replace(await world.ask_for(phone, registration), items=items)


@pytest.mark.parametrize("kind", sorted(DETACHED))
async def test_attributes_with_a_time_are_signed(world, kind):
    phone = await world.citizen()
    await world.signing(phone, await ask_detached(world, phone, kind)).run()


async def test_several_hashed_files_are_signed_in_their_order(world):
    phone = await world.citizen()
    ask = await ask_detached(world, phone, "hashedFilesSigning", 3)
    swapped = dataclasses.replace(ask, items=(ask.items[1], ask.items[0], ask.items[2]))
    await refused(world, phone, swapped, VerificationError)
    await refused(world, phone, dataclasses.replace(ask, items=ask.items[:2]), InvalidRequestError)
    await world.signing(phone, ask).run()


@pytest.mark.parametrize("kind", sorted(DETACHED))
async def test_attributes_without_a_time_are_refused(world, kind):
    phone = await world.citizen()
    ask = await ask_detached(world, phone, kind)
    chain = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    bare = [Item("cms", signed_attributes(bytes(32), chain.certificate)) for _ in ask.items]
    await refused(world, phone, dataclasses.replace(ask, items=tuple(bare)), VerificationError)


async def test_attributes_with_a_time_are_refused_for_a_pdf(world):
    phone = await world.citizen()
    ask = await ask_detached(world, phone, "documentSigning")
    await refused(world, phone, ask, VerificationError)


@pytest.mark.parametrize("kind", sorted(DETACHED))
async def test_another_hash_than_was_registered_is_refused(world, kind):
    phone = await world.citizen()
    ask = await ask_detached(world, phone, kind, hashes=(bytes(32),))
    await refused(world, phone, ask, VerificationError)


@pytest.mark.parametrize("age", [-MINUTES * 2, DAY + MINUTES * 2], ids=["to come", "old"])
async def test_a_time_that_is_not_now_is_refused(world, age):
    phone = await world.citizen()
    ask = await ask_detached(world, phone, "auth", age=age)
    await refused(world, phone, ask, VerificationError)


@pytest.mark.parametrize("kind", sorted(OF_CHALLENGE))
async def test_a_login_signs_one_thing(world, kind):
    phone = await world.citizen()
    with pytest.raises(InvalidRequestError, match="one hash"):
        await world.vault.requests.register(world.registration(phone, 2, kind=kind))


@pytest.mark.parametrize("kind", ["antibot", "login", "", "certificate", "Auth", "x" * 33, "вхід"])
async def test_a_kind_that_nobody_knows_is_not_registered(world, kind):
    phone = await world.citizen()
    with pytest.raises(InvalidRequestError):
        await world.vault.requests.register(world.registration(phone, kind=kind))
