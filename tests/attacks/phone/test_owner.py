"""Suspend, revoke, replace: by the PIN or the code of the owner, by nobody else (§6)."""

import dataclasses

import pytest

from mobile_share import key_action
from mobile_share.emergency import give_suspend_code
from mobile_share.share_file import ShareStatus
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    PinRejectedError,
    RetireShareError,
    UnavailableError,
)
from signer_core.identifiers import KeyId
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.suspend_code import suspend_code_hash
from tests.fakes.phone_fixtures import PIN, sign

OTHER = KeyId(b"o" * 16)


def only_key(world):
    (key,) = world.vault.keys.values()
    return key


def own_id(phone):
    return phone.shares.load().share.key_id


async def confirm(phone, world, action, about=None, pin=PIN):
    about = about or own_id(phone)
    async with key_action.prepare(phone, world.signer, action, about, b"photo") as prepared:
        return await prepared.confirm(pin)


ENDS = [
    (KeyAction.SUSPENSION, "suspended", ShareStatus.SUSPENDED, KeySuspendedError),
    (KeyAction.REVOCATION, "retired", ShareStatus.RETIRED, RetireShareError),
]


@pytest.mark.parametrize(("action", "at_vault", "here", "error"), ENDS)
async def test_owner_ends_the_key_at_the_vault_and_here(
    enrolled, world, action, at_vault, here, error
):
    secret = enrolled.shares.load().masked_share
    request_id = world.signer.ask(enrolled.certificate())
    await confirm(enrolled, world, action)
    stored = enrolled.shares.load()
    assert (only_key(world).status, stored.status) == (at_vault, here)
    assert stored.masked_share != secret
    with pytest.raises(error):
        await sign(enrolled, world, request_id)


@pytest.mark.parametrize(("action", "at_vault", "here", "error"), ENDS)
async def test_vault_that_answers_the_ack_by_the_new_state_is_a_success(
    enrolled, world, action, at_vault, here, error
):
    def say(_):
        raise error("it is as you wanted")

    world.vault.hooks["step7"] = say
    await confirm(enrolled, world, action)
    assert enrolled.shares.load().status is here


async def test_revocation_of_a_suspended_key_is_not_taken_for_done(enrolled, world):
    def say(_):
        raise KeySuspendedError("suspended by the code meanwhile")

    world.vault.hooks["step5"] = say
    with pytest.raises(KeySuspendedError):
        await confirm(enrolled, world, KeyAction.REVOCATION)


@pytest.mark.parametrize("action", sorted(set(KeyAction) - {KeyAction.RENEWAL}))  # test_renewal.py
async def test_wrong_pin_ends_nothing(enrolled, world, action):
    with pytest.raises(PinRejectedError):
        await confirm(enrolled, world, action, pin="90817")
    assert only_key(world).status == "active"
    assert enrolled.shares.load().status is ShareStatus.ACTIVE


async def test_replacement_leaves_the_own_key_as_it_is(enrolled, world):
    world.vault.keys[OTHER] = dataclasses.replace(only_key(world))
    await confirm(enrolled, world, KeyAction.REPLACEMENT, OTHER)
    assert world.vault.keys[OTHER].status == "retired"
    assert enrolled.shares.load().status is ShareStatus.ACTIVE


async def test_signer_cannot_turn_one_wish_into_another(enrolled, world):
    """A corrupt signer registers a revocation, or a document, where a suspension was asked."""

    async def cheat(action, about):
        return await honest(KeyAction.REVOCATION, about)

    honest, world.signer.request_key_action = world.signer.request_key_action, cheat
    with pytest.raises(DeniedError):
        await confirm(enrolled, world, KeyAction.SUSPENSION)
    assert only_key(world).status == "active"


async def test_signer_cannot_swap_the_key_to_be_replaced(enrolled, world):
    async def cheat(action, about):
        return await honest(action, KeyId(b"x" * 16))

    honest, world.signer.request_key_action = world.signer.request_key_action, cheat
    with pytest.raises(DeniedError):
        await confirm(enrolled, world, KeyAction.REPLACEMENT, OTHER)


# The suspend code


async def test_code_is_on_no_file_of_the_phone(enrolled, world):
    shown = []
    await give_suspend_code(world.signer, shown.append)
    (code,) = shown
    assert world.vault.codes[own_id(enrolled)] == suspend_code_hash(code)
    plain = code.replace("-", "").encode()
    kept = b"".join(p.read_bytes() for p in enrolled.folder.iterdir() if p.is_file())
    kept += enrolled.shares.load().to_bytes()
    for trace in (code.encode(), plain, suspend_code_hash(code), suspend_code_hash(code).hex()):
        assert (trace.encode() if isinstance(trace, str) else trace) not in kept


async def test_lost_answer_does_not_leave_a_code_that_nobody_saw(enrolled, world):
    calls, shown = [], []
    honest = world.signer.set_suspend_code

    async def lose(code_hash):
        await honest(code_hash)
        calls.append(code_hash)
        if len(calls) < 3:
            raise UnavailableError("the answer was lost")

    world.signer.set_suspend_code = lose
    await give_suspend_code(world.signer, shown.append)
    assert len(shown) == 1
    assert set(calls) == {suspend_code_hash(shown[0])}


async def test_second_code_is_refused(enrolled, world):
    await give_suspend_code(world.signer, str)
    with pytest.raises(InvalidRequestError):
        await give_suspend_code(world.signer, str)


async def test_code_suspends_and_another_one_does_not(enrolled, world):
    shown = []
    await give_suspend_code(world.signer, shown.append)
    with pytest.raises(NotFoundError):
        await world.signer.suspend("ABCD-EFGH-JKMN-PQRS")
    assert only_key(world).status == "active"
    await world.signer.suspend(shown[0])
    assert only_key(world).status == "suspended"
