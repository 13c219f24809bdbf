"""What an owner does with keys: suspend, revoke, replace; and nobody else with them."""

import asyncio
import dataclasses
import hashlib

import pytest

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from grpc_api.gen.signer.phone.v1 import device_pb2, emergency_pb2, emergency_pb2_grpc
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from grpc_api.servers.phone_limits import KEY_CALLS_A_MINUTE
from grpc_api.servers.source_limits import SourceGate, source_of
from signer_core.errors import UnavailableError
from signer_core.ports import RequestState
from signer_core.protocol.key_action import KeyAction, action_hash
from signer_core.protocol.suspend_code import NO_SUCH_CODE, suspend_code_hash
from signer_core.signing.model import RequestStatus
from signer_core.signing.opening import Opening
from tests.fakes.refusals import drain, refused
from tests.fakes.uploads import create, file

OTHER_PERSON = "9876543210"
CODE = "ABCD-EFGH-JKMN-PQRS"
SUSPEND, REVOKE = device_pb2.KEY_ACTION_SUSPENSION, device_pb2.KEY_ACTION_REVOCATION
REPLACE = device_pb2.KEY_ACTION_REPLACEMENT


@pytest.fixture
async def old(world):
    return await world.person()


@pytest.fixture
async def emergency(world):
    return emergency_pb2_grpc.EmergencyServiceStub(await world.enrolment_channel())


async def ask(phone, action, about):
    message = device_pb2.RequestKeyActionRequest(action=action, about_key_id=about)
    return (await phone.device.RequestKeyAction(message)).request_id


async def set_code(phone, code=CODE):
    message = device_pb2.SetSuspendCodeRequest(code_hash=suspend_code_hash(code))
    await phone.device.SetSuspendCode(message)


async def others(phone):
    answer = await phone.device.ListOtherKeys(device_pb2.ListOtherKeysRequest())
    return [one.key_id for one in answer.keys]


async def open_ids(phone):
    answer = await phone.requests.ListRequests(phones.ListRequestsRequest())
    return [one.request_id for one in answer.requests]


async def replaced(world, old, new):
    """Confirm a replacement at the vault and let the signer hear of it."""
    request_id = await ask(new, REPLACE, old.key_id)
    world.vault.confirm(request_id)
    await world.collection.collect(request_id)
    return request_id


@pytest.mark.parametrize(
    ("wire", "kind"), [(SUSPEND, KeyAction.SUSPENSION), (REVOKE, KeyAction.REVOCATION)]
)
async def test_a_phone_opens_a_request_about_its_own_key(world, old, wire, kind):
    request_id = await ask(old, wire, old.key_id)
    registered = world.vault.registered[request_id]
    assert (registered.kind, registered.key_id) == (kind, old.key_id)
    assert registered.request_hash == action_hash(kind, old.key_id)
    assert registered.file_hashes == (hashlib.sha256(old.key_id).digest(),)


async def test_asking_again_gives_the_open_request_again(world, old):
    first = await ask(old, SUSPEND, old.key_id)
    assert await ask(old, SUSPEND, old.key_id) == first
    assert await ask(old, REVOKE, old.key_id) != first


async def test_requests_about_keys_are_in_no_list_of_documents(world, old):
    await ask(old, SUSPEND, old.key_id)
    assert await open_ids(old) == []


@pytest.mark.parametrize("action", [SUSPEND, REVOKE])
async def test_no_phone_suspends_or_revokes_another_key(world, old, action):
    same, stranger = await world.person(), await world.person(OTHER_PERSON)
    for victim in (old, stranger):
        with refused("denied", "itself only"):
            await ask(same, action, victim.key_id)
    assert not world.vault.registered


async def test_nobody_elses_key_is_replaced_or_listed(world, old):
    stranger = await world.person(OTHER_PERSON)
    assert await others(stranger) == []
    with refused("not_found"):
        await ask(stranger, REPLACE, old.key_id)
    assert not world.vault.registered


async def test_a_key_does_not_replace_itself(world, old):
    with refused("not_found"):
        await ask(old, REPLACE, old.key_id)


@pytest.mark.parametrize("action", [0, 9])
async def test_an_unknown_action_is_refused(old, action):
    with refused("invalid_request"):
        await ask(old, action, old.key_id)


async def test_a_phone_lists_the_other_keys_of_its_person(world, old):
    new = await world.person()
    assert await others(new) == [old.key_id]
    assert await others(old) == [new.key_id]


async def test_a_phone_that_asks_too_often_waits(world, old):
    for _ in range(KEY_CALLS_A_MINUTE):
        await others(old)
    with refused("unavailable", "wait a minute"):
        await others(old)
    assert await others(await world.person())  # counted per device


async def test_waiting_requests_go_to_the_new_phone(world, old):
    signing = await world.signing()
    request_id = await create(signing, file("a.pdf"), file("b.pdf"))
    new = await world.person()
    assert await open_ids(new) == []
    await replaced(world, old, new)
    assert await open_ids(old) == []
    (successor,) = await open_ids(new)
    before = await world.collection.requests.get(request_id)
    after = await world.collection.requests.get(successor)
    assert before.status is RequestStatus.REPLACED
    assert world.vault.states[request_id] is RequestState.BURNED
    assert [f.name for f in after.files] == [f.name for f in before.files]
    assert not {f.file_hash for f in after.files} & {f.file_hash for f in before.files}
    assert after.content == dataclasses.replace(before.content, key_id=new.key_id)
    assert after.expires_at_s == before.expires_at_s
    registered = world.vault.registered[successor]
    assert registered.request_hash == after.request_hash != before.request_hash
    assert registered.file_hashes == tuple(f.file_hash for f in after.files)


async def test_the_caller_is_told_where_its_request_went_and_gets_it_signed(world, old):
    signing = await world.signing()
    request_id = await create(signing, file("a.pdf"))
    new = await world.person()
    await replaced(world, old, new)
    answer = await signing.GetRequest(internal.GetRequestRequest(request_id=request_id))
    assert answer.state.status == internal.STATUS_REPLACED
    successor = answer.state.successor
    stored = await world.collection.requests.get(successor)
    world.vault.sign(successor, [entry.to_be_signed for entry in stored.files])
    await world.collection.collect(successor)
    signed = internal.GetSignedDocumentRequest(request_id=successor)
    pdf = b"".join(one.chunk for one in await drain(signing.GetSignedDocument(signed)))
    assert pdf.startswith(b"%PDF")


async def test_what_the_old_key_is_signing_now_stays_with_it(world, old):
    signing = await world.signing()
    request_id = await create(signing)
    new = await world.person()
    world.vault.states[request_id] = RequestState.RESERVED
    await replaced(world, old, new)
    assert await open_ids(new) == []
    assert (await world.collection.requests.get(request_id)).status is RequestStatus.OPEN
    documents = [
        one
        for one in world.vault.registered.values()
        if one.file_hashes and not one.kind.startswith("key")
    ]
    assert {one.key_id for one in documents} == {old.key_id}  # never open under both


async def test_requests_of_others_are_not_carried_over(world, old):
    stranger = await world.person(OTHER_PERSON)
    theirs = await create(await world.signing(), person_code=OTHER_PERSON)
    await replaced(world, old, await world.person())
    assert await open_ids(stranger) == [theirs]


async def test_a_vault_away_in_the_middle_is_made_up_for_at_the_next_start(world, old, monkeypatch):
    signing = await world.signing()
    ids = {await create(signing), await create(signing)}
    new = await world.person()
    action = await ask(new, REPLACE, old.key_id)
    world.vault.confirm(action)
    opened, open_ = [], Opening.open

    async def break_off(self, request_id):
        if opened:
            raise UnavailableError("the vault is away")
        opened.append(request_id)
        return await open_(self, request_id)

    with monkeypatch.context() as patch:
        patch.setattr(Opening, "open", break_off)
        with pytest.raises(UnavailableError):
            await world.collection.collect(action)
    assert len(await open_ids(new)) == 1
    await world.parts.recovery(world.collection).run()
    assert len(await open_ids(new)) == len(ids)
    assert await open_ids(old) == []
    assert (await world.collection.requests.get(action)).status is RequestStatus.CONSUMED


async def test_two_collections_at_once_make_one_successor(world, old):
    await create(await world.signing())
    new = await world.person()
    carry = world.collection.carry_over
    await asyncio.gather(*(carry.run(old.key_id, new.key_id) for _ in range(4)))
    assert len(await open_ids(new)) == 1


# The suspend code


async def test_the_code_suspends_without_any_certificate(world, old, emergency):
    await set_code(old)
    typed = CODE.lower().replace("-", " ")
    await emergency.SuspendByCode(emergency_pb2.SuspendByCodeRequest(code=typed))
    assert world.vault.suspended == [old.key_id]


@pytest.mark.parametrize("code", ["", "ABCD-EFGH-JKMN-PQRT", "ABCD", "O" * 16, "A" * 65, "ї" * 16])
async def test_a_wrong_code_tells_nothing_but_that(world, old, emergency, code):
    await set_code(old)
    with refused("not_found", NO_SUCH_CODE):
        await emergency.SuspendByCode(emergency_pb2.SuspendByCodeRequest(code=code))
    assert not world.vault.suspended


async def test_guesses_of_the_code_are_limited(world, old, emergency):
    await set_code(old)
    wrong = emergency_pb2.SuspendByCodeRequest(code="ABCD-EFGH-JKMN-PQRT")
    for _ in range(10):
        with refused("not_found"):
            await emergency.SuspendByCode(wrong)
    asked = world.vault.calls.count("suspend_by_code")
    with refused("unavailable", "wait a minute"):
        await emergency.SuspendByCode(emergency_pb2.SuspendByCodeRequest(code=CODE))
    assert world.vault.calls.count("suspend_by_code") == asked


async def test_a_thief_with_the_phone_does_not_replace_the_code(world, old):
    await set_code(old)
    await set_code(old)
    with refused("invalid_request"):
        await set_code(old, "SRQP-NMKJ-HGFE-DCBA")


async def test_a_hash_of_another_size_is_refused(world, old):
    with refused("invalid_request", "32 bytes"):
        await old.device.SetSuspendCode(device_pb2.SetSuspendCodeRequest(code_hash=b"h" * 31))
    assert not world.vault.codes


def test_one_source_does_not_use_up_the_others_tries():
    gate = SourceGate(a_minute=2, all_a_minute=4)
    for _ in range(2):
        gate.admit("192.0.2.1")
    for _ in range(5):
        with pytest.raises(UnavailableError, match="from here"):
            gate.admit("192.0.2.1")
    gate.admit("192.0.2.2")
    gate.admit("192.0.2.3")
    with pytest.raises(UnavailableError, match="too many calls"):
        gate.admit("192.0.2.4")


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("ipv4:192.0.2.1:40001", "192.0.2.1"),
        ("ipv6:[2001:db8::1]:40001", "2001:db8::/64"),
        ("ipv6:%5B2001:db8::2%5D:40001", "2001:db8::/64"),
        ("ipv6:[fe80::1%25eth0]:1", "fe80::/64"),
        ("unix:/run/x", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_source_is_an_address_or_a_network(peer, source):
    assert source_of(peer) == source
