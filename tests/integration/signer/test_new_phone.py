"""A request that waited for the old phone is signed on the new one, however long it waited."""

import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import update

from grpc_api.gen.signer.internal.v1 import signing_pb2 as internal
from grpc_api.gen.signer.phone.v1 import device_pb2
from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from signer_core.documents import ValidSignature, verify_pdf
from signer_core.errors import UnavailableError
from signer_core.ports import RequestState
from signer_core.signing.model import RequestStatus
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.requests import Requests
from signer_core.storage.signer.tables import request_files
from tests.fakes import handmade
from tests.fakes.refusals import drain
from tests.fakes.uploads import create, file
from tests.fakes.vault_ports import FakeVault

HOUR = timedelta(hours=1)
TTL_S = 4 * 3600


def two_pages():
    objects = handmade.pages()
    objects[1] = b"<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 >>"
    return handmade.with_table([*objects, objects[2]])


@pytest.fixture
async def old(world):
    """The old phone, from an hour before."""
    world.clock.now -= HOUR
    return await world.person()


@pytest.fixture
async def waiting(world, old):
    """A request of an hour before, with a file for each way to show a signature."""
    files = (
        file("none.pdf", two_pages()),
        file("last.pdf", two_pages(), visible=True),
        file("first.pdf", two_pages(), visible=True, page=1),
    )
    return await create(await world.signing(), *files, ttl_s=TTL_S)


@pytest.fixture
async def new(world, waiting):
    """The new phone, of now."""
    world.clock.now += HOUR
    return await world.person()


async def confirm(world, old, new):
    """Have the vault replace the old key; return the id of that request."""
    message = device_pb2.RequestKeyActionRequest(
        action=device_pb2.KEY_ACTION_REPLACEMENT, about_key_id=old.key_id
    )
    request_id = (await new.device.RequestKeyAction(message)).request_id
    world.vault.confirm(request_id)
    return request_id


async def listed(phone):
    answer = await phone.requests.ListRequests(phones.ListRequestsRequest())
    return [one.request_id for one in answer.requests]


async def signed(world, request_id):
    """Sign a request and return its finished files, by name."""
    stored = await world.collection.requests.get(request_id)
    world.vault.sign(request_id, [entry.to_be_signed for entry in stored.files])
    signing, documents = await world.signing(), {}
    for position, entry in enumerate(stored.files):
        wanted = internal.GetSignedDocumentRequest(request_id=request_id, file_index=position)
        chunks = await drain(signing.GetSignedDocument(wanted))
        documents[entry.name] = b"".join(one.chunk for one in chunks)
    return documents


def words(pdf, page, folder):
    """What is to be read on a page, the stamp included."""
    (folder / "page.pdf").write_bytes(pdf)
    number = str(page)
    command = ["pdftotext", "-f", number, "-l", number, folder / "page.pdf", "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


async def test_a_request_older_than_the_new_certificate_is_signed_and_valid(
    world, old, waiting, new, tmp_path
):
    await world.collection.collect(await confirm(world, old, new))
    (successor,) = await listed(new)
    documents = await signed(world, successor)
    citizen, now = world.vault.citizens[new.key_id], world.clock.now
    for pdf in documents.values():
        (report,) = verify_pdf(pdf, trust_roots=citizen.trust_roots, now=now)
        assert isinstance(report, ValidSignature), report
        assert report.claimed_at == now
        assert pdf.startswith(two_pages())
    stamp = f"{now:%d.%m.%Y %H:%M:%S} (UTC+00:00)"
    shown = {
        name: [stamp in words(pdf, page, tmp_path) for page in (1, 2)]
        for name, pdf in documents.items()
    }
    assert shown == {
        "none.pdf": [False, False],
        "last.pdf": [False, True],
        "first.pdf": [True, False],
    }


CRASHES = {
    "before the successor is stored": (Requests, "add_successor", False),
    "when the successor is stored": (Requests, "add_successor", True),
    "before the old one is burned": (FakeVault, "burn", False),
    "when the old one is burned": (FakeVault, "burn", True),
    "when the old one is closed": (Requests, "settle_burned", True),
    "when the vault knows the new one": (FakeVault, "register", True),
    "when the new one is open": (Requests, "open", True),
}


@pytest.mark.parametrize("point", CRASHES.values(), ids=CRASHES)
async def test_a_crash_at_any_point_leaves_one_successor_to_be_signed(
    world, old, waiting, new, monkeypatch, point
):
    action = await confirm(world, old, new)
    party, name, done = point
    step = getattr(party, name)

    async def crash(*arguments):
        if done:
            await step(*arguments)
        raise UnavailableError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr(party, name, crash)
        with pytest.raises(UnavailableError):
            await world.collection.collect(action)
    await world.parts.recovery(world.collection).run()
    (successor,) = await listed(new)
    assert await listed(old) == []
    assert world.vault.states[waiting] is RequestState.BURNED
    documents = await signed(world, successor)
    assert all(pdf.startswith(two_pages()) for pdf in documents.values())
    assert (await world.collection.requests.get(action)).status is RequestStatus.CONSUMED


async def test_a_file_that_cannot_be_prepared_any_more_closes_its_request_only(
    world, old, waiting, logs
):
    lost = await create(await world.signing(), file("secret.pdf"), ttl_s=TTL_S)
    async with write_transaction(world.parts.engine) as connection:
        damage = update(request_files).where(request_files.c.request_id == lost)
        await connection.execute(damage.values(prepared=b"%PDF-1.7 and no more"))
    new = await world.person()
    action = await confirm(world, old, new)
    await world.collection.collect(action)
    requests = world.collection.requests
    assert await requests.successor(waiting) in await listed(new)
    assert await requests.successor(lost) is None
    assert await listed(old) == []
    assert (await requests.get(lost)).status is RequestStatus.REPLACED
    assert world.vault.states[lost] is RequestState.BURNED
    assert (await requests.get(action)).status is RequestStatus.CONSUMED
    (line,) = [one for one in logs.getvalue().splitlines() if "carry-over.failed" in one]
    assert lost.hex() in line
    assert "secret" not in line
