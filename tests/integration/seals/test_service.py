"""The seal service over gRPC: what portal and worker get, and what nobody does."""

import hashlib
import json
from pathlib import Path

import grpc
import pytest
from sqlalchemy import select

from grpc_api.gen.signer.internal.v1 import seals_pb2 as pb
from grpc_api.gen.signer.internal.v1 import seals_pb2_grpc
from signer_core.documents import SealStamp
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from signer_core.seals.model import FileToSeal, Level, RepairId
from signer_core.storage.signer.seal_tables import seal_repairs
from tests.fakes import handmade
from tests.fakes.ades import is_of_level

MARK = SealStamp("Вигадана справа", "Договір", "1", "https://portal.example/check/1")
ASSETS = Path(__file__).parents[2] / "assets"
MIB = 1024 * 1024


async def test_pdfs_come_back_sealed_in_their_order(service, page):
    client = await service.client()
    objects = handmade.pages()
    objects[3] = b"<< /Length 200000 >>\nstream\n%s\nendstream" % (b" " * 200_000)
    large = handmade.with_table(objects)  # several chunks
    files = [FileToSeal(page), FileToSeal(large), FileToSeal(page, MARK)]
    sealed = await client.seal_pdfs("portal", Level.B_LT, files)
    assert [one.level.reached for one in sealed] == [Level.B_LT] * 3
    assert sealed[1].pdf.startswith(large)
    assert b"Subtype /Widget" in sealed[2].pdf
    for one in sealed:
        assert await is_of_level(one.pdf, service.pki.root, Level.B_LT)


async def test_a_stranger_gets_no_seal(service, page):
    worker = await service.client("worker.internal")
    with pytest.raises(DeniedError, match="may not use this seal"):
        await worker.seal_pdfs("portal", Level.B_B, [FileToSeal(page)])
    portal = await service.client()
    with pytest.raises(DeniedError, match="may not use this seal"):
        await portal.seal_json("org-1", Level.B_B, [b"{}"])
    assert service.vault.calls == []


async def test_who_is_not_listed_does_not_reach_the_service(service, page):
    stranger = await service.client("registrar.internal")
    with pytest.raises(DeniedError, match="may not use this service"):
        await stranger.seal_pdfs("portal", Level.B_B, [FileToSeal(page)])


async def test_a_lowered_seal_is_repaired_by_the_worker_and_fetched_by_the_portal(service, page):
    portal, worker = await service.client(), await service.client("worker.internal")
    service.trust.tsa_away = True
    (sealed,) = await portal.seal_pdfs("portal", Level.B_T, [FileToSeal(page)])
    assert (sealed.level.asked, sealed.level.reached) == (Level.B_T, Level.B_B)
    repair_id = sealed.level.repair_id
    with pytest.raises(UnavailableError):
        await worker.repair(repair_id)
    service.trust.tsa_away = False
    await worker.repair(repair_id)
    state = await portal.level(repair_id)
    assert (state.asked, state.reached) == (Level.B_T, Level.B_T)
    assert await is_of_level(await portal.repaired(repair_id), service.pki.root, Level.B_T)
    for ask in (worker.level, worker.repaired):
        with pytest.raises(NotFoundError):
            await ask(repair_id)
    await portal.forget(repair_id)
    await portal.forget(repair_id)
    with pytest.raises(NotFoundError):
        await worker.repair(repair_id)
    async with service.engine.connect() as connection:
        assert (await connection.execute(select(seal_repairs.c.repair_id))).all() == []


async def test_json_is_sealed_in_its_canonical_form(service):
    client = await service.client()
    texts = ['{"b": 1.0, "a": "ґ"}'.encode(), b'{"a":"\\u0491","b":1}']
    one, other = await client.seal_json("portal", Level.B_T, texts)
    assert one.sha256 == other.sha256 == hashlib.sha256('{"a":"ґ","b":1}'.encode()).digest()
    assert one.level.reached is Level.B_T


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b"9007199254740993",
        b"1e999",
        b"NaN",
        b'"\\ud800"',
        b"\xff",
        b"",
        b"[" * 100_000,
    ],
    ids=["twice", "beyond 2^53", "infinite", "no number", "half", "no UTF-8", "empty", "deep"],
)
async def test_json_that_programs_read_differently_is_not_sealed(service, text):
    client = await service.client()
    with pytest.raises(InvalidRequestError, match="RFC 8785"):
        await client.seal_json("portal", Level.B_B, [b"{}", text])
    assert service.vault.calls == []


BAD = {
    "broken": (b"%PDF-1.7\n" + b"x" * 100, "damaged"),
    "cut short": ((ASSETS / "truncated.pdf").read_bytes(), "damaged"),
    "no PDF": (json.dumps({"a": 1}).encode(), "not a PDF"),
    "encrypted": ((ASSETS / "encrypted.pdf").read_bytes(), "encrypted"),
    "encrypted for a user": ((ASSETS / "encrypted_user.pdf").read_bytes(), "encrypted"),
    "certified": ((ASSETS / "certified_no_changes.pdf").read_bytes(), "certified"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("level", [Level.B_B, Level.B_LTA], ids=str)
async def test_a_pdf_that_cannot_be_sealed_is_named_and_none_is_sealed(service, page, kind, level):
    pdf, why = BAD[kind]
    client = await service.client()
    with pytest.raises(InvalidRequestError, match=f"file 2: .*{why}"):
        await client.seal_pdfs("portal", level, [FileToSeal(page), FileToSeal(pdf)])
    assert service.vault.calls == []


async def test_a_pdf_of_200_mib_is_refused_before_it_is_sent(service):
    """By the size that is declared: not a byte of it is kept, or waited for."""
    asked = [
        pb.SealPdfsRequest(header=pb.SealHeader(seal_id="portal", level=pb.LEVEL_B_B)),
        pb.SealPdfsRequest(file=pb.SealFileStart(size_bytes=200 * MIB)),
    ]
    assert "20 MiB" in await refusal(service, asked)


HEADER = pb.SealPdfsRequest(header=pb.SealHeader(seal_id="portal", level=pb.LEVEL_B_B))


def start(size):
    return pb.SealPdfsRequest(file=pb.SealFileStart(size_bytes=size))


def chunk(data):
    return pb.SealPdfsRequest(chunk=data)


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [HEADER],
        [HEADER, HEADER],
        [start(5)],
        [HEADER, chunk(b"x")],
        [HEADER, start(5), chunk(b"123456")],
        [HEADER, start(5), chunk(b"1234")],
        [HEADER, start(5), start(5)],
        [HEADER, start(70_000), chunk(b"x" * 65_537)],
        [HEADER, start(0)],
        [HEADER, *[start(20 * MIB)] * 2],
        [pb.SealPdfsRequest()],
        [pb.SealPdfsRequest(header=pb.SealHeader(seal_id="portal")), start(1), chunk(b"x")],
        [
            HEADER,
            pb.SealPdfsRequest(
                file=pb.SealFileStart(size_bytes=1, stamp=pb.Stamp(recipient="without the rest"))
            ),
        ],
    ],
    ids=range(14),
)
async def test_a_stream_out_of_order_or_shape_is_refused(service, asked):
    assert await refusal(service, asked)
    assert service.vault.calls == []


async def test_what_is_longer_than_it_said_is_refused_at_its_first_byte_too_many(service):
    asked = [HEADER, start(5), chunk(b"123456")]
    assert await refusal(service, asked) == "a file is longer than its start said"


async def refusal(service, asked):
    stub = seals_pb2_grpc.SealServiceStub(await service.channel())
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async for _ in stub.SealPdfs(iter(asked)):
            pass
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    return error.value.details()


@pytest.mark.parametrize(
    "digests", [[], [b"short"], [b"x" * 32] * 1025], ids=["0", "short", "1025"]
)
async def test_digests_of_wrong_size_or_number_are_refused(service, digests):
    client = await service.client()
    with pytest.raises(InvalidRequestError):
        await client.seal_digests("portal", Level.B_B, digests)


async def test_detached_seals_above_b_t_are_refused(service):
    client = await service.client()
    with pytest.raises(InvalidRequestError, match="B-B or B-T"):
        await client.seal_digests("portal", Level.B_LT, [b"x" * 32])


async def test_an_id_of_no_repair_is_refused(service):
    client = await service.client()
    with pytest.raises(InvalidRequestError, match="16 bytes"):
        await client.level(RepairId(b"short"))
    with pytest.raises(NotFoundError):
        await client.level(RepairId(b"x" * 16))


async def test_nothing_of_a_document_is_in_the_log(service, page, capsys):
    client = await service.client()
    secret = SealStamp("Таємний Отримувач", "Таємна мета", "77-XX", "https://portal.example/c/zz9")
    service.trust.tsa_away = True
    await client.seal_pdfs("portal", Level.B_LTA, [FileToSeal(page, secret)])
    with pytest.raises(InvalidRequestError):
        await client.seal_pdfs("portal", Level.B_B, [FileToSeal(BAD["broken"][0], secret)])
    await client.seal_json("portal", Level.B_B, ['{"прізвище":"Вигадана"}'.encode()])
    logged = "".join(capsys.readouterr())
    assert "seal level not reached" in logged
    for word in ("Таємн", "77-XX", "zz9", "Вигадана", "xxxx"):
        assert word not in logged
