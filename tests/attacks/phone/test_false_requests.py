"""A corrupt signer shows something else than would be signed (docs/spec/ecdsa2p.md §6)."""

import dataclasses

import pytest

from mobile_share import signing
from mobile_share.ports import RequestStatus
from signer_core.documents import prepare_pdf, signed_attributes
from signer_core.errors import InvalidRequestError, NotFoundError, SignerError, VerificationError
from tests.fakes.citizen import NOW, new_key
from tests.fakes.phone_fixtures import PIN, sign
from tests.fakes.phone_world import PDF


@pytest.fixture
async def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate(), pdfs=2)


def change(world, request_id, **changes):
    old = world.signer.requests[request_id]
    world.signer.requests[request_id] = dataclasses.replace(old, **changes)


def change_file(world, request_id, index, **changes):
    files = list(world.signer.requests[request_id].files)
    files[index] = dataclasses.replace(files[index], **changes)
    change(world, request_id, files=tuple(files))


async def fetch(phone, world, request_id):
    return await signing.fetch_request(phone, world.signer, request_id, NOW)


async def refused(phone, world, request_id, error, match):
    with pytest.raises(error, match=match):
        await fetch(phone, world, request_id)


async def test_relying_party_by_another_key_is_refused(enrolled, world, request_id):
    change(world, request_id, relying_party=world.pki.relying_party(key=new_key()))
    await refused(enrolled, world, request_id, VerificationError, "registry did not sign")


async def test_record_of_another_type_is_refused(enrolled, world, request_id):
    record = world.pki.relying_party(typ="photo-attestation+jwt")
    change(world, request_id, relying_party=record)
    await refused(enrolled, world, request_id, VerificationError, "another kind")


async def test_unsigned_record_is_refused(enrolled, world, request_id):
    header = "eyJhbGciOiJub25lIiwidHlwIjoicmVseWluZy1wYXJ0eStqd3QifQ"
    payload = world.pki.relying_party().split(".")[1]
    change(world, request_id, relying_party=f"{header}.{payload}.")
    await refused(enrolled, world, request_id, VerificationError, "registry did not sign")


async def test_record_with_another_claim_is_refused(enrolled, world, request_id):
    change(world, request_id, relying_party=world.pki.relying_party(sub="somebody"))
    await refused(enrolled, world, request_id, VerificationError, "incomplete")


async def test_a_kind_that_is_not_the_relying_partys_is_refused(enrolled, world, request_id):
    change(world, request_id, relying_party=world.pki.relying_party(scopes=["auth"]))
    await refused(enrolled, world, request_id, VerificationError, "may not ask")


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("scopes", "documentSigning"),
        ("scopes", None),
        ("callback_address", None),
        ("keys", [{"kty": "EC"}]),
        ("keys", {}),
        ("issued_at", "1767225600"),
        ("issued_at", True),
    ],
)
async def test_record_with_a_malformed_claim_is_refused(enrolled, world, request_id, claim, value):
    change(world, request_id, relying_party=world.pki.relying_party(**{claim: value}))
    await refused(enrolled, world, request_id, VerificationError, "incomplete")


async def test_overlong_record_is_refused(enrolled, world, request_id):
    record = world.pki.relying_party(name_uk="Б" * 5000)
    change(world, request_id, relying_party=record)
    await refused(enrolled, world, request_id, VerificationError, "too long")


async def test_return_address_of_somebody_else_is_refused(enrolled, world, request_id):
    change(world, request_id, return_address="https://attacker.example/back")
    await refused(enrolled, world, request_id, VerificationError, "return address")


async def test_altered_document_is_refused(enrolled, world, request_id):
    document = world.signer.documents[request_id][1]
    world.signer.documents[request_id][1] = document.replace(b"%PDF-1", b"%PDF-2", 1)
    await refused(enrolled, world, request_id, VerificationError, "not the one that would be")


async def test_document_of_another_request_is_refused(enrolled, world, request_id):
    other = world.signer.ask(enrolled.certificate())
    world.signer.documents[request_id][0] = world.signer.documents[other][0]
    await refused(enrolled, world, request_id, VerificationError, "not the one that would be")


async def test_document_with_content_outside_the_signature_is_refused(enrolled, world, request_id):
    world.signer.documents[request_id][0] += b"% not covered\n"
    await refused(enrolled, world, request_id, InvalidRequestError, "covers it to its end")


async def test_swapped_signed_attributes_are_refused(enrolled, world, request_id):
    one, two = (file.to_be_signed for file in world.signer.requests[request_id].files)
    change_file(world, request_id, 0, to_be_signed=two)
    change_file(world, request_id, 1, to_be_signed=one)
    await refused(enrolled, world, request_id, VerificationError, "belong to no file")


async def test_attributes_over_another_document_are_refused(enrolled, world, request_id):
    leaf = world.pki.citizen(enrolled.shares.load().share.public_key)[0]
    other = prepare_pdf(PDF, signer_certificate=leaf, signed_at=NOW)
    change_file(world, request_id, 0, to_be_signed=signed_attributes(other.file_hash, leaf))
    await refused(enrolled, world, request_id, VerificationError, "belong to no file")


async def test_attributes_for_another_certificate_of_the_same_key_are_refused(
    enrolled, world, request_id
):
    leaf = world.pki.citizen(enrolled.shares.load().share.public_key)[0]
    shown = world.signer.requests[request_id].files[0].file_hash
    change_file(world, request_id, 0, to_be_signed=signed_attributes(shown, leaf))
    await refused(enrolled, world, request_id, VerificationError, "another certificate")


async def test_the_same_document_twice_is_refused(enrolled, world, request_id):
    one, _ = world.signer.requests[request_id].files
    change(world, request_id, files=(one, one))
    world.signer.documents[request_id] = world.signer.documents[request_id][:1] * 2
    await refused(enrolled, world, request_id, VerificationError, "same document twice")


async def test_no_document_and_too_many_are_refused(enrolled, world, request_id):
    one, _ = world.signer.requests[request_id].files
    world.signer.documents[request_id] *= 33
    for files in ((), (one,) * 65):
        change(world, request_id, files=files)
        await refused(enrolled, world, request_id, VerificationError, "between 1 and 64")


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\nb", "a\u202eb", "a" * 301])
async def test_purpose_that_could_rewrite_the_screen_is_refused(enrolled, world, request_id, text):
    change(world, request_id, purpose=text)
    await refused(enrolled, world, request_id, VerificationError, "cannot be shown")


@pytest.mark.parametrize("file_name", ["../a.pdf", "a\\b.pdf", "", ".", "..", "/etc/passwd"])
async def test_document_name_with_a_path_is_refused(enrolled, world, request_id, file_name):
    change_file(world, request_id, 0, name=file_name)
    await refused(enrolled, world, request_id, VerificationError, "not a file name")


@pytest.mark.parametrize("file_name", ["a\u202efdp.exe", "b\r.pdf", "a" * 201])
async def test_document_name_that_shows_as_another_is_refused(
    enrolled, world, request_id, file_name
):
    change_file(world, request_id, 0, name=file_name)
    await refused(enrolled, world, request_id, VerificationError, "cannot be shown")


async def test_another_kind_of_request_is_refused(enrolled, world, request_id):
    change(world, request_id, kind="login")
    await refused(enrolled, world, request_id, InvalidRequestError, "this kind")


async def test_challenge_in_a_document_request_is_refused(enrolled, world, request_id):
    change(world, request_id, challenge=b"c" * 32)
    await refused(enrolled, world, request_id, VerificationError, "challenge of the wrong size")


async def test_expired_and_closed_requests_are_refused(enrolled, world, request_id):
    change(world, request_id, expires_at_s=int(NOW.timestamp()))
    await refused(enrolled, world, request_id, NotFoundError, "expired")
    change(world, request_id, status=RequestStatus.DECLINED)
    await refused(enrolled, world, request_id, NotFoundError, "declined")


async def test_answer_about_another_request_is_refused(enrolled, world, request_id):
    other = world.signer.ask(enrolled.certificate())
    world.signer.requests[request_id] = world.signer.requests[other]
    await refused(enrolled, world, request_id, VerificationError, "another request")


async def test_registry_certificate_out_of_date_is_refused(enrolled, world, request_id):
    late = NOW.replace(year=NOW.year + 10)
    with pytest.raises(VerificationError, match="out of date"):
        await signing.fetch_request(enrolled, world.signer, request_id, late)


async def test_what_is_signed_is_bound_to_what_was_shown(enrolled, world, request_id):
    """The vault compares the hash: a purpose only this phone was shown is never signed."""
    change(world, request_id, purpose="something harmless")
    with pytest.raises(SignerError, match="not the one that was registered"):
        await sign(enrolled, world, request_id)
    assert request_id not in world.vault.results


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "другий"}, {"return_address": ""}],
)
async def test_request_hash_covers_what_is_shown(enrolled, world, request_id, changes):
    before = await fetch(enrolled, world, request_id)
    change(world, request_id, **changes)
    after = await fetch(enrolled, world, request_id)
    assert before.request_hash != after.request_hash


async def test_request_hash_covers_names_and_order(enrolled, world, request_id):
    before = await fetch(enrolled, world, request_id)
    change_file(world, request_id, 0, name="harmless.pdf")
    renamed = await fetch(enrolled, world, request_id)
    change(world, request_id, files=world.signer.requests[request_id].files[::-1])
    world.signer.documents[request_id].reverse()
    swapped = await fetch(enrolled, world, request_id)
    assert len({before.request_hash, renamed.request_hash, swapped.request_hash}) == 3


async def test_unchanged_request_is_signed(enrolled, world, request_id):
    assert (await sign(enrolled, world, request_id, PIN)).signatures == 2
