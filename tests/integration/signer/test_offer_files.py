"""docs/flows/sign-files.md: files by their hash, documents to read, a new phone meanwhile."""

import hashlib

import pytest

from grpc_api.gen.signer.phone.v1 import device_pb2
from signer_core.errors import InvalidRequestError, NotFoundError
from tests.fakes.offers_made import (
    COLLECTOR,
    assert_openssl_accepts,
    claim,
    files_offer,
    hashed,
    now_s,
    sign,
)
from tests.fakes.requests import PERSON_CODE

CONTENTS = [(f"file-{n}.bin", b"content %d" % n) for n in range(64)]


async def test_64_files_are_signed_each_by_its_hash(world, phone, offers, tmp_path):
    wanted = [hashed(*one, sent=False) for one in CONTENTS]
    offer = await offers.create(files_offer(wanted))
    await sign(world, phone, await claim(world, phone, offer))
    result = await offers.collect(offer.offer_id, COLLECTOR)
    assert [(one.name, one.file_hash) for one in result.signatures] == [
        (one.name, one.file_hash) for one in wanted
    ]
    for signed, (_, content) in list(zip(result.signatures, CONTENTS, strict=True))[::31]:
        assert_openssl_accepts(signed.signature, content, result, tmp_path)


async def test_65_files_are_refused(offers):
    files = [hashed(f"{n}.bin", b"%d" % n, sent=False) for n in range(65)]
    with pytest.raises(InvalidRequestError, match="at most 64 files"):
        await offers.create(files_offer(files))


async def test_documents_are_read_where_the_partner_sent_them(world, phone, offers):
    large = bytes(range(256)) * 1024
    files = [hashed("a.txt", large), hashed("b.txt", b"secret", sent=False)]
    offer = await offers.create(files_offer(files))
    request_id = await claim(world, phone, offer)
    shown = await phone.client.get_request(request_id)
    assert [(one.size_bytes, one.media_type) for one in shown.files] == [
        (len(large), "text/plain"),
        (0, ""),
    ]
    assert await phone.client.get_document(request_id, 0) == large
    with pytest.raises(NotFoundError, match="only its hash"):
        await phone.client.get_document(request_id, 1)
    with pytest.raises(NotFoundError):
        await phone.client.get_document(request_id, 2)


async def test_a_document_is_the_claiming_phones_to_read(world, phone, offers):
    offer = await offers.create(files_offer())
    request_id = await claim(world, phone, offer)
    other = await world.person("9876543210")
    with pytest.raises(NotFoundError):
        await other.client.get_document(request_id, 0)


@pytest.mark.parametrize("name", ["../evil", "a\u202ecod.exe", "a\x1b[2J", "", "a/b"])
async def test_a_name_with_tricks_is_refused(offers, name):
    with pytest.raises(InvalidRequestError, match="name of a file"):
        await offers.create(files_offer([hashed(name, b"x")]))


async def test_a_claimed_offer_follows_its_person_to_a_new_phone(world, phone, offers, tmp_path):
    offer = await offers.create(files_offer(person_code=PERSON_CODE, ttl_s=3600))
    old_id = await claim(world, phone, offer)
    new = await world.person()
    message = device_pb2.RequestKeyActionRequest(
        action=device_pb2.KEY_ACTION_REPLACEMENT, about_key_id=phone.key_id
    )
    action_id = (await new.device.RequestKeyAction(message)).request_id
    world.vault.confirm(action_id)
    await world.collection.collect(action_id)
    (request,) = await new.client.list_requests()
    assert (request.request_id != old_id, request.offer_id) == (True, offer.offer_id)
    assert await new.client.get_document(request.request_id, 0) == b"contract"
    assert await claim(world, new, offer) == request.request_id
    await sign(world, new, request.request_id)
    result = await offers.collect(offer.offer_id, COLLECTOR)
    (signed,) = result.signatures
    assert_openssl_accepts(signed.signature, b"contract", result, tmp_path)


async def test_the_hash_of_a_request_covers_names_and_hashes(world, phone, offers):
    numbers = set()
    for name, content in (("a", b"1"), ("b", b"1"), ("a", b"2")):
        offer = await offers.create(files_offer([hashed(name, content)]))
        request_id = await claim(world, phone, offer)
        numbers.add(world.vault.registered[request_id].request_hash)
        registered = world.vault.registered[request_id]
        assert registered.file_hashes == (hashlib.sha256(content).digest(),)
        assert registered.expires_at_s == now_s(world) + 180
    assert len(numbers) == 3
