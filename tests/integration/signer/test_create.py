"""What a caller may not ask for: nothing is stored, and nothing reaches the vault."""

import asyncio

import pytest

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from signer_core.errors import KeyBlockedError
from tests.fakes import handmade
from tests.fakes.refusals import refused
from tests.fakes.signer_world import ADDRESS
from tests.fakes.uploads import PDF, chunk, create, file, header, messages, start

RTL = "\N{RIGHT-TO-LEFT OVERRIDE}"
BIG = 20 * 1024 * 1024 + 1

BAD_HEADERS = [
    ({"purpose": ""}, "the purpose has"),
    ({"purpose": "x" * 301}, "the purpose has"),
    ({"purpose": f"pay {RTL}fdp.a"}, "invisible"),
    ({"purpose": "one\ntwo"}, "control"),
    ({"idempotency_key": ""}, "idempotency"),
    ({"idempotency_key": "x" * 65}, "idempotency"),
    ({"ttl_s": 29}, "30 to 86400"),
    ({"ttl_s": 86_401}, "30 to 86400"),
    ({"return_address": "https://evil.example/"}, "return address"),
    ({"person_code": ""}, "person code"),
]
BAD_NAMES = [
    "",
    "x" * 201,
    "../a.pdf",
    "a/b.pdf",
    "a\\b.pdf",
    "/etc/passwd",
    ".",
    "..",
    ".bashrc",
    " a.pdf",
    "a\x00.pdf",
    "a\n.pdf",
    f"a{RTL}fdp.exe",
    "a\N{ZERO WIDTH SPACE}.pdf",
    "a\N{LEFT-TO-RIGHT ISOLATE}.pdf",
    "a\N{LINE SEPARATOR}.pdf",
]
BAD_STREAMS = {
    "nothing": [],
    "no header": file(),
    "two headers": [header(), header(), *file()],
    "a header between files": [header(), *file(), header(), *file("b.pdf")],
    "a chunk before its file": [header(), chunk(PDF), *file()],
    "no files": [header()],
    "an empty message": [header(), internal.CreateRequestRequest(), *file()],
    "an empty chunk": [header(), start(), chunk(b""), chunk(PDF)],
    "a chunk over 64 KiB": [header(), start(size_bytes=65_537), chunk(b"%PDF-" + bytes(65_532))],
    "a file longer than it said": [header(), start(size_bytes=5), chunk(PDF)],
    "a file shorter than it said": [header(), start(size_bytes=len(PDF) + 1), chunk(PDF)],
    "a shorter file before another": [header(), start(size_bytes=9), *file("b.pdf")],
    "an empty file": [header(), start(size_bytes=0)],
    "a file over 20 MiB": [header(), start(size_bytes=BIG)],
    "65 files": messages(*(file(f"{n}.pdf") for n in range(65))),
    "the same name twice": messages(file(), file()),
    "names that differ in case": messages(file("A.pdf"), file("a.pdf")),
    "not a PDF": messages(file(pdf=b"hello")),
    "a page that is not there": messages(file(visible=True, page=9)),
}


def assert_nothing_happened(world):
    assert world.vault.registered == {}


@pytest.fixture
async def signing(world):
    await world.person()
    return await world.signing()


@pytest.mark.parametrize(("changes", "said"), BAD_HEADERS)
async def test_a_bad_header_is_refused(world, signing, changes, said):
    with refused("invalid_request", said):
        await create(signing, **changes)
    assert_nothing_happened(world)


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_bad_name_is_refused(world, signing, name):
    with refused("invalid_request", "the name of a file"):
        await create(signing, file(name))
    assert_nothing_happened(world)


@pytest.mark.parametrize("stream", BAD_STREAMS.values(), ids=BAD_STREAMS)
async def test_a_bad_stream_is_refused(world, signing, stream):
    with refused("invalid_request"):
        await signing.CreateRequest(iter(stream))
    assert_nothing_happened(world)


@pytest.mark.parametrize("changes", [{"person_code": "9999999999"}, {"relying_party_id": "nobody"}])
async def test_an_unknown_person_or_relying_party_is_not_found(world, signing, changes):
    with refused("not_found"):
        await create(signing, **changes)
    assert_nothing_happened(world)


async def test_a_person_whose_certificate_has_run_out_is_not_asked(world, signing):
    world.clock.now = world.clock.now.replace(year=world.clock.now.year + 6)
    with refused("not_found", "run out"):
        await create(signing)
    assert_nothing_happened(world)


async def test_sixty_four_files_are_one_request(world, signing):
    small = handmade.one_page()
    request_id = await create(signing, *(file(f"{n}.pdf", small) for n in range(64)))
    assert len(set(world.vault.registered[request_id].file_hashes)) == 64


async def test_the_record_decides_about_the_return_address(world, signing):
    await create(signing, return_address=ADDRESS)


async def test_the_same_wish_twice_is_one_request(world, signing):
    first = await create(signing, idempotency_key="same")
    assert await create(signing, idempotency_key="same") == first
    assert len(world.vault.registered) == 1


async def test_the_same_wish_at_once_is_one_request(world, signing):
    made = await asyncio.gather(*(create(signing, idempotency_key="same") for _ in range(4)))
    assert len(set(made)) == 1
    assert len(world.vault.registered) == 1


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ([file("b.pdf")], {}),
        ([file(pdf=PDF + b"\n")], {}),
        ([file(visible=True)], {}),
        ([file()], {"purpose": "another"}),
        ([file()], {"ttl_s": 60}),
        ([file()], {"return_address": ADDRESS}),
    ],
)
async def test_an_idempotency_key_does_not_serve_for_another_content(
    world, signing, files, changes
):
    await create(signing, idempotency_key="same")
    with refused("invalid_request", "another request"):
        await create(signing, *files, idempotency_key="same", **changes)
    assert len(world.vault.registered) == 1


async def test_callers_do_not_share_idempotency_keys(world, signing):
    first = await create(signing, idempotency_key="same")
    worker = await world.signing("worker.internal")
    assert await create(worker, idempotency_key="same", purpose="another") != first


async def test_what_the_vault_refuses_does_not_exist_and_may_be_asked_again(world, signing):
    world.vault.refusal = KeyBlockedError("this key is blocked")
    with refused("key_blocked"):
        await create(signing, idempotency_key="same")
    world.vault.refusal = None
    await create(signing, idempotency_key="same", purpose="another")


async def test_after_an_absent_vault_the_same_wish_is_the_same_request(world, signing):
    world.vault.away = True
    with refused("unavailable"):
        await create(signing, idempotency_key="same")
    world.vault.away = False
    with refused("invalid_request", "another request"):
        await create(signing, idempotency_key="same", purpose="another")
    request_id = await create(signing, idempotency_key="same")
    assert list(world.vault.registered) == [request_id]


async def test_a_message_over_a_mebibyte_is_refused(world, signing):
    with refused(None):
        await signing.CreateRequest(iter([header(), start(), chunk(bytes(1 << 20))]))
