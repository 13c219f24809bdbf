"""What is signed is what was registered, once (docs/spec/ecdsa2p.md §6)."""

import asyncio
import dataclasses
import secrets

import pytest

from signer_core.errors import (
    BusyError,
    InvalidRequestError,
    KeyHeldError,
    NotFoundError,
    PinRejectedError,
    ProtocolAbortError,
    UnknownGenerationError,
    VerificationError,
)
from signer_core.identifiers import RequestId
from signer_core.ports import RequestState
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.to_be_signed import make_pkcs10_info
from tests.fakes.vault_phone import PhoneSigning


async def refused(world, phone, ask, error):
    """Check that a session about `ask` ends in `error`, having changed nothing."""
    before = await world.row("keys", key_id=phone.key_id)
    with pytest.raises(error):
        await world.signing(phone, ask).run()
    assert await world.row("keys", key_id=phone.key_id) == before


async def test_a_consumed_request_is_not_signed_again(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await world.signing(phone, ask).run()
    await refused(world, phone, ask, InvalidRequestError)


async def test_two_sessions_about_one_request_sign_it_once(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    answers = await asyncio.gather(
        session.sign(), world.signing(phone, ask).run(), return_exceptions=True
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1


async def test_a_burned_request_is_not_signed(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await world.vault.requests.burn(RequestId(ask.request_id))
    await world.vault.requests.burn(RequestId(ask.request_id))
    await refused(world, phone, ask, InvalidRequestError)


async def test_a_request_burned_after_step_4_is_not_signed_nor_counted(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    await session.to_openings()
    await world.vault.requests.burn(RequestId(ask.request_id))
    with pytest.raises(InvalidRequestError):
        await session.sign()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0


async def test_an_expired_request_is_not_signed(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    world.clock.ahead_s += 31 * 24 * 3600
    await refused(world, phone, ask, InvalidRequestError)


async def test_an_unknown_request_is_not_signed(world):
    phone = await world.citizen()
    ask = dataclasses.replace(await world.request(phone), request_id=secrets.token_bytes(16))
    await refused(world, phone, ask, NotFoundError)


async def test_a_request_of_another_key_is_not_signed(world):
    phone, other = await world.citizen(), await world.citizen()
    await refused(world, phone, await world.request(other), InvalidRequestError)


async def test_another_request_hash_is_refused(world):
    phone = await world.citizen()
    ask = dataclasses.replace(await world.request(phone), request_hash=secrets.token_bytes(32))
    await refused(world, phone, ask, VerificationError)


async def test_files_of_another_request_are_refused(world):
    phone = await world.citizen()
    ask, other = await world.request(phone), await world.request(phone)
    await refused(world, phone, dataclasses.replace(ask, items=other.items), VerificationError)


async def test_files_in_another_order_are_refused(world):
    phone = await world.citizen()
    ask = await world.request(phone, files=2)
    swapped = dataclasses.replace(ask, items=tuple(reversed(ask.items)))
    await refused(world, phone, swapped, VerificationError)


@pytest.mark.parametrize("change", ["one less", "one more", "none", "other kind"])
async def test_another_number_or_kind_of_items_is_refused(world, change):
    phone = await world.citizen()
    ask = await world.request(phone, files=2)
    own = Item("pkcs10", make_pkcs10_info(phone.share.public_key))
    items = {
        "one less": ask.items[:1],
        "one more": (*ask.items, ask.items[0]),
        "none": (),
        "other kind": (ask.items[0], own),
    }[change]
    await refused(world, phone, dataclasses.replace(ask, items=items), InvalidRequestError)


async def test_attributes_naming_another_certificate_are_refused(world):
    phone, other = await world.citizen(), await world.citizen()
    registration = world.registration(phone)
    await world.vault.requests.register(registration)
    foreign = await world.ask_for(other, registration)
    ask = await world.ask_for(phone, registration)
    await refused(world, phone, dataclasses.replace(ask, items=foreign.items), VerificationError)


async def test_a_key_without_certificate_signs_no_file(world):
    phone, other = await world.enrol(), await world.citizen()
    registration = world.registration(phone)
    await world.vault.requests.register(registration)
    await refused(world, phone, await world.ask_for(other, registration), InvalidRequestError)


@pytest.mark.parametrize("change", ["other key", "file", "twice"])
async def test_a_new_key_signs_its_own_pkcs10_and_nothing_else_under_its_id(world, change):
    phone, other = await world.enrol(), await world.enrol()
    ask = world.own_ask(phone)
    items = {
        "other key": world.own_ask(other).items,
        "file": (Item("cms", ask.items[0].data),),
        "twice": ask.items * 2,
    }[change]
    error = VerificationError if change == "other key" else InvalidRequestError
    await refused(world, phone, dataclasses.replace(ask, items=items), error)


async def test_an_unknown_generation_is_named_so(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    with pytest.raises(UnknownGenerationError):
        await session.to_openings(lambda step, m: dataclasses.replace(m, generation=1))


async def test_a_digest_altered_after_step_1_is_a_wrong_pin_proof(world):
    """The vault signs what it parsed: a phone that signs for other bytes proves nothing."""
    phone = await world.citizen()
    ask = await world.request(phone)
    session = world.signing(phone, ask)
    forged = Item("cms", ask.items[0].data + b"\x00")

    def swap(step, m):
        return dataclasses.replace(m, items=ask.items) if step == 1 else m

    session.ask = dataclasses.replace(session.ask, items=(forged,))
    with pytest.raises((PinRejectedError, ProtocolAbortError)):
        await session.run(tamper=swap)
    state = (await world.vault.requests.result(RequestId(ask.request_id))).state
    assert state is RequestState.OPEN


async def test_messages_out_of_order_end_the_session(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    m1 = session.party.step1_request(
        "sign", session.ask.request_id, session.ask.request_hash, session.ask.items
    )
    await session.link.ask(m1)
    with pytest.raises(ProtocolAbortError):
        await session.link.ask(m1)


async def test_a_session_begins_with_step_1(world):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    with pytest.raises(ProtocolAbortError):
        await world.connect(phone).ask(session.make_partials())


async def test_sigma_of_another_session_is_a_wrong_pin_at_most(world):
    phone = await world.citizen()
    old = world.signing(phone, await world.request(phone))
    await old.to_openings()
    stale = old.make_partials()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    with pytest.raises(PinRejectedError):
        await session.sign(tamper=lambda step, m: stale)


async def test_a_session_that_takes_too_long_dies(world):
    vault = world.make_process("process-2", ttl_s=1.5)
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone), vault)
    await session.to_openings()
    with pytest.raises(ProtocolAbortError):
        await session.link.receive()


# --- registering ---------------------------------------------------------------------------------


async def test_registering_twice_is_harmless_even_after_the_signature(world):
    phone = await world.citizen()
    registration = world.registration(phone)
    await world.vault.requests.register(registration)
    await world.vault.requests.register(registration)
    await world.signing(phone, await world.ask_for(phone, registration)).run()
    await world.vault.requests.register(registration)
    state = (await world.vault.requests.result(registration.request_id)).state
    assert state is RequestState.CONSUMED


@pytest.mark.parametrize("field", ["kind", "request_hash", "file_hashes", "expires_at_s", "key_id"])
async def test_another_content_under_a_taken_id_is_refused(world, field):
    phone, other = await world.citizen(), await world.citizen()
    registration = world.registration(phone)
    await world.vault.requests.register(registration)
    values = {
        "kind": "login",
        "request_hash": bytes(32),
        "file_hashes": (bytes(32),),
        "expires_at_s": registration.expires_at_s + 1,
        "key_id": other.key_id,
    }
    with pytest.raises(InvalidRequestError):
        await world.vault.requests.register(
            dataclasses.replace(registration, **{field: values[field]})
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": b"short"},
        {"request_hash": b"short"},
        {"file_hashes": ()},
        {"file_hashes": (bytes(31),)},
        {"file_hashes": (bytes(32),) * 65},
        {"kind": ""},
        {"kind": "k" * 33},
        {"kind": "підпис"},
        {"kind": "certificate"},
        {"expires_at_s": 1},
        {"expires_at_s": 1 << 40},
        {"expires_at_s": -1},
    ],
)
async def test_a_malformed_registration_is_refused(world, changes):
    phone = await world.enrol()
    with pytest.raises(InvalidRequestError):
        await world.vault.requests.register(world.registration(phone, **changes))


async def test_nobody_registers_under_a_keys_own_id(world):
    phone = await world.enrol()
    registration = world.registration(phone, request_id=RequestId(phone.key_id))
    with pytest.raises(InvalidRequestError):
        await world.vault.requests.register(registration)


async def test_a_held_key_still_takes_requests(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    for _ in range(3):
        with pytest.raises(PinRejectedError):
            await world.try_wrong_pin(phone, ask)
    with pytest.raises(KeyHeldError):
        await world.signing(phone, await world.request(phone)).run()


async def test_a_consumed_request_cannot_be_burned(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    await world.signing(phone, ask).run()
    with pytest.raises(InvalidRequestError):
        await world.vault.requests.burn(RequestId(ask.request_id))


def test_busy_is_an_abort():
    assert issubclass(BusyError, ProtocolAbortError)


async def test_the_first_signing_uses_the_own_request_once(world):
    phone = await world.citizen()
    with pytest.raises(InvalidRequestError):
        await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()


async def test_a_request_under_the_id_of_a_key_to_come_stops_that_enrolment_cleanly(world):
    phone, victim = await world.enrol(), await world.prepare()
    registration = world.registration(phone, request_id=RequestId(victim.key_id))
    await world.vault.requests.register(registration)
    with pytest.raises(InvalidRequestError):
        await victim.enrol(world.connect(victim))
    with pytest.raises(NotFoundError):
        await world.vault.keys.key_state(victim.key_id)
