"""What an owner does about a key: suspend by code, suspend, revoke or replace by the PIN."""

import dataclasses
import secrets

import pytest

from signer_core.errors import (
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    PinRejectedError,
    RetireShareError,
    VerificationError,
)
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import KeyStatus, RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash
from signer_core.protocol.transcript import Q
from tests.attacks.vault.test_judgement import RIGHT, kill
from tests.fakes.vault_phone import Ask, PhoneSigning

CODE = bytes(range(32))


async def status(world, phone):
    return (await world.vault.keys.key_state(phone.key_id)).status


async def sign(world, phone):
    await world.signing(phone, await world.request(phone)).run()


def registered(world, phone, action, about, **changes):
    return world.registration(
        phone,
        **{
            "kind": action.value,
            "request_hash": action_hash(action, about.key_id),
            "file_hashes": (about_hash(about.key_id),),
            **changes,
        },
    )


async def ask_about(world, phone, action, about):
    """Register a request about a key; return what an honest phone asks for it."""
    registration = registered(world, phone, action, about)
    await world.vault.requests.register(registration)
    request_id = registration.request_id
    attestation = world.attest(phone, request_id)
    return Ask(request_id, registration.request_hash, (), attestation)


async def citizen_of(world, person_id):
    phone = await world.prepare(person_id=person_id)
    await phone.enrol(world.connect(phone))
    await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()
    await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    return phone


# --- by code -------------------------------------------------------------------------------------


async def test_the_code_suspends_for_good(world):
    phone = await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    for _ in range(2):
        await world.vault.keys.suspend_by_code(CODE)
    assert await status(world, phone) is KeyStatus.SUSPENDED
    events = await world.events(phone)
    assert events.count(("key-suspended", "code")) == 1
    assert ("certificate-hold", "queued") in events
    with pytest.raises(KeySuspendedError):
        await world.vault.requests.register(world.registration(phone))


async def test_a_key_keeps_its_first_code(world):
    phone = await world.citizen()
    for _ in range(2):
        await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    with pytest.raises(InvalidRequestError):
        await world.vault.keys.set_suspend_code(phone.key_id, bytes(32))
    with pytest.raises(NotFoundError):
        await world.vault.keys.suspend_by_code(bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
async def test_a_code_hash_has_32_bytes(world, size):
    phone = await world.citizen()
    with pytest.raises(InvalidRequestError):
        await world.vault.keys.set_suspend_code(phone.key_id, bytes(size))
    with pytest.raises(NotFoundError):
        await world.vault.keys.suspend_by_code(bytes(size))


async def test_a_code_belongs_to_one_key(world):
    phone, other = await world.citizen(), await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    with pytest.raises(InvalidRequestError):
        await world.vault.keys.set_suspend_code(other.key_id, CODE)


async def test_a_code_moved_to_another_key_in_the_database_suspends_nobody(world):
    phone, other = await world.citizen(), await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    await world.edit("keys", {"suspend_code_hash": None}, key_id=phone.key_id)
    await world.edit("keys", {"suspend_code_hash": CODE}, key_id=other.key_id)
    with pytest.raises(VerificationError):
        await world.vault.keys.suspend_by_code(CODE)
    assert (await world.row("keys", key_id=other.key_id))["status"] == "active"


async def test_a_retired_key_is_not_revived_as_suspended(world):
    phone = await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    ask = await ask_about(world, phone, KeyAction.REVOCATION, phone)
    await world.signing(phone, ask).run()
    await world.vault.keys.suspend_by_code(CODE)
    assert await status(world, phone) is KeyStatus.RETIRED


async def test_a_code_voids_what_is_being_judged(world, monkeypatch):
    phone = await world.citizen()
    await world.vault.keys.set_suspend_code(phone.key_id, CODE)
    ask = await world.request(phone)
    await kill(world, monkeypatch, phone, ask, RIGHT)
    await world.vault.keys.suspend_by_code(CODE)
    row = await world.row("keys", key_id=phone.key_id)
    assert (row["status"], row["judging_sid"]) == ("suspended", None)
    result = await world.vault.requests.result(RequestId(ask.request_id))
    assert result.state is RequestState.BURNED


# --- by the PIN ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected", "error", "queued"),
    [
        (KeyAction.SUSPENSION, KeyStatus.SUSPENDED, KeySuspendedError, "certificate-hold"),
        (KeyAction.REVOCATION, KeyStatus.RETIRED, RetireShareError, "certificate-revocation"),
    ],
)
async def test_the_owner_ends_a_key_by_the_pin(world, action, expected, error, queued):
    phone = await world.citizen()
    last = await world.request(phone)
    ask = await ask_about(world, phone, action, phone)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    assert await status(world, phone) is KeyStatus.ACTIVE
    await world.signing(phone, ask).run()
    assert await status(world, phone) is expected
    assert (queued, "queued") in await world.events(phone)
    result = await world.vault.requests.result(RequestId(ask.request_id))
    assert (result.state, result.items) == (RequestState.CONSUMED, ())
    with pytest.raises(error):
        await world.signing(phone, last).run()


async def test_a_request_about_a_key_signs_nothing(world):
    phone = await world.citizen()
    item = (await world.request(phone)).items
    ask = await ask_about(world, phone, KeyAction.SUSPENSION, phone)
    with pytest.raises(InvalidRequestError):
        await world.signing(phone, dataclasses.replace(ask, items=item)).run()


async def test_an_ordinary_request_is_not_consumed_by_signing_nothing(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    with pytest.raises(InvalidRequestError):
        await world.signing(phone, dataclasses.replace(ask, items=())).run()


@pytest.mark.parametrize("action", [KeyAction.SUSPENSION, KeyAction.REVOCATION])
async def test_a_key_ends_only_itself_outside_a_replacement(world, action):
    phone, other = await world.citizen(), await world.citizen()
    with pytest.raises(NotFoundError):
        await world.vault.requests.register(registered(world, phone, action, other))


@pytest.mark.parametrize(
    "changes", [{"request_hash": bytes(32)}, {"file_hashes": (bytes(32),) * 2}]
)
async def test_a_request_about_a_key_is_hashed_as_the_phone_will(world, changes):
    phone = await world.citizen()
    wrong = registered(world, phone, KeyAction.SUSPENSION, phone, **changes)
    with pytest.raises((InvalidRequestError, NotFoundError)):
        await world.vault.requests.register(wrong)


async def test_a_new_key_replaces_the_old_one_of_the_same_person(world):
    old, new = await citizen_of(world, "person-7"), await citizen_of(world, "person-7")
    ask = await ask_about(world, new, KeyAction.REPLACEMENT, old)
    with pytest.raises(PinRejectedError):
        await world.signing(new, ask).run(Scalar((new.x2 + 1) % Q))
    assert await status(world, old) is KeyStatus.ACTIVE
    await world.signing(new, ask).run()
    assert (await status(world, old), await status(world, new)) == (
        KeyStatus.RETIRED,
        KeyStatus.ACTIVE,
    )
    assert ("key-retired", "replaced") in await world.events(old)
    assert ("certificate-revocation", "queued") in await world.events(old)
    await sign(world, new)


async def test_another_persons_key_is_not_replaced(world):
    old, new = await citizen_of(world, "person-7"), await citizen_of(world, "person-8")
    with pytest.raises(NotFoundError):
        await world.vault.requests.register(registered(world, new, KeyAction.REPLACEMENT, old))


async def test_a_key_does_not_replace_itself(world):
    phone = await world.citizen()
    with pytest.raises(NotFoundError):
        await world.vault.requests.register(registered(world, phone, KeyAction.REPLACEMENT, phone))


async def test_a_person_moved_in_the_database_is_refused(world):
    old, new = await citizen_of(world, "person-7"), await citizen_of(world, "person-8")
    person = (await world.row("keys", key_id=new.key_id))["person_mac"]
    await world.edit("keys", {"person_mac": person}, key_id=old.key_id)
    with pytest.raises(VerificationError):
        await world.vault.requests.register(registered(world, new, KeyAction.REPLACEMENT, old))


async def test_a_suspended_key_can_still_be_replaced(world):
    old, new = await citizen_of(world, "person-7"), await citizen_of(world, "person-7")
    await world.vault.keys.set_suspend_code(old.key_id, CODE)
    await world.vault.keys.suspend_by_code(CODE)
    await world.signing(new, await ask_about(world, new, KeyAction.REPLACEMENT, old)).run()
    assert await status(world, old) is KeyStatus.RETIRED


async def test_no_name_of_a_person_is_in_the_row_of_a_key(world):
    phone = await citizen_of(world, "person-7")
    row = await world.row("keys", key_id=phone.key_id)
    assert b"person-7" not in b"".join(v for v in row.values() if isinstance(v, bytes))
    other = await citizen_of(world, "person-8")
    assert row["person_mac"] != (await world.row("keys", key_id=other.key_id))["person_mac"]


async def test_wrong_tries_are_told(world):
    phone = await world.citizen()
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, await world.request(phone))
    assert (await world.vault.keys.key_state(phone.key_id)).wrong_tries == 1


async def test_what_does_not_exist_has_no_code(world):
    with pytest.raises(NotFoundError):
        await world.vault.keys.set_suspend_code(KeyId(secrets.token_bytes(16)), CODE)
