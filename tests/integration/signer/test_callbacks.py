"""Callbacks: made by an approval, given to the worker, forgotten; what was given up, replayed."""

import base64
import dataclasses
import hashlib
import json
from datetime import timedelta

import grpc
import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import select

from grpc_api.clients.callbacks import CallbacksClient
from grpc_api.clients.outbox import OutboxClient
from grpc_api.gen.signer.internal.v1 import admin_pb2, admin_pb2_grpc, callbacks_pb2
from grpc_api.gen.signer.internal.v1.callbacks_pb2_grpc import CallbacksServiceStub
from signer_core.callbacks.making import CallbackMaking
from signer_core.callbacks.model import KEPT_S, Content
from signer_core.callbacks.signature import HEADER, CallbackKey
from signer_core.errors import DeniedError, NotFoundError
from signer_core.login.statement import FIRST_LINE
from signer_core.protocol.request_kind import RequestKind
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_tables import audit_outbox, job_outbox
from signer_core.storage.signer.callback_tables import callbacks as table
from signer_core.storage.signer.callbacks import Callbacks
from tests.fakes.offers_made import (
    assert_openssl_accepts,
    auth_offer,
    files_offer,
    hashed,
    qr,
    sign,
)
from tests.fakes.partners import described
from tests.fakes.pki import new_key
from tests.integration.signer.test_audit import officer

CALLBACK = "https://bank.example/callbacks"
FILES = [hashed("договір.docx", b"contract"), hashed("додаток.txt", b"annex", sent=False)]


@pytest.fixture
async def key(world):
    """The key of callbacks; the partner `bank` has an address for them."""
    made = new_key()
    rows = Callbacks(world.parts.engine)
    world.parts.approved.append(CallbackMaking(rows, CallbackKey(made), world.clock))
    await set_address(world, CALLBACK)
    return made


async def set_address(world, address):
    world.vault.partners.sign(described(callback_address=address))
    await world.parts.partners().following.follow("bank")


@pytest.fixture
async def worker(world):
    channel = await world.internal("worker.internal")
    return OutboxClient(channel), CallbacksClient(channel)


async def approve(world, wanted):
    offers, phone = await world.offers(), await world.person()
    offer = await offers.create(wanted)
    code = qr(offer, int(world.clock().timestamp()))
    await sign(world, phone, await phone.client.claim_offer(code))
    return offer, offers


async def rows_of(world, *columns):
    async with read_transaction(world.parts.engine) as connection:
        return (await connection.execute(select(*columns))).all()


async def test_signed_files_are_told_to_the_partner(world, key, worker, tmp_path):
    offer, offers = await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    assert (job.kind, json.loads(job.body)) == ("callback.post", {"partner_id": "bank"})
    address, headers, body = await worker[1].get(job.job_id)
    assert address == CALLBACK
    told = json.loads(body)
    assert (told["offer_id"], told["kind"], told["status"]) == (
        offer.offer_id.hex(),
        "hashedFilesSigning",
        "approved",
    )
    result = await offers.collect(offer.offer_id, b"c" * 32)
    for one, file in zip(told["signatures"], FILES, strict=True):
        assert (one["name"], one["file_hash"]) == (file.name, file.file_hash.hex())
    for one, content in zip(told["signatures"], (b"contract", b"annex"), strict=True):
        signature = base64.b64decode(one["signature"])
        assert_openssl_accepts(signature, content, result, tmp_path)
    assert dict(headers)["Idempotency-Key"] == job.job_id


async def test_a_callback_is_signed_over_its_body_id_and_partner(world, key, worker):
    await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    _, headers, body = await worker[1].get(job.job_id)
    before, _, after = dict(headers)[HEADER].partition("..")
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    public = ECKey.import_key(key.public_key())
    allowed = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    found = jws.deserialize_compact(f"{before}.{payload}.{after}", public, registry=allowed)
    said = found.headers()
    assert (said["jti"], said["aud"], said["typ"]) == (job.job_id, "bank", "callback+jws")
    assert said["iat"] == int(world.clock().timestamp())


async def test_every_try_gets_the_same_bytes(world, key, worker):
    await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    first = await worker[1].get(job.job_id)
    await set_address(world, "https://elsewhere.example/")
    world.clock.now += timedelta(hours=23)
    assert await worker[1].get(job.job_id) == first


async def test_a_signature_over_a_challenge_is_told_and_a_login_is_not(world, key, worker):
    await approve(world, auth_offer(statement="", challenge=b"h" * 32))
    (job,) = await worker[0].fetch(10)
    told = json.loads((await worker[1].get(job.job_id))[2])
    assert [one["file_hash"] for one in told["signatures"]] == [(b"h" * 32).hex()]
    for kind, statement in (
        (RequestKind.AUTH, f"{FIRST_LINE}\nhttps://sign.example\nbank"),
        (RequestKind.CONSENT, "Погоджуюсь"),
    ):
        digest = hashlib.sha256(statement.encode()).digest()
        await approve_another(world, auth_offer(kind=kind, statement=statement, challenge=digest))
    assert len(await worker[0].fetch(10)) == 1


async def approve_another(world, wanted):
    offers, phone = await world.offers(), await world.person("1234567890")
    offer = await offers.create(wanted)
    code = qr(offer, int(world.clock().timestamp()))
    await sign(world, phone, await phone.client.claim_offer(code))


async def test_without_an_address_nothing_is_told(world, key, worker):
    await set_address(world, "")
    await approve(world, files_offer(FILES))
    assert await worker[0].fetch(10) == []
    assert await rows_of(world, table.c.callback_id) == []


async def test_another_wire_is_another_function(world, key, worker):
    def other(approved):
        return Content("text/plain", b"done", (("X-Offer", approved.offer_id.hex()),))

    making = world.parts.approved.pop()
    world.parts.approved.append(dataclasses.replace(making, content=other))
    offer, _ = await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    _, headers, body = await worker[1].get(job.job_id)
    assert (body, dict(headers)["X-Offer"]) == (b"done", offer.offer_id.hex())
    assert dict(headers)["Content-Type"] == "text/plain"


@pytest.mark.causes("callback")
async def test_what_was_delivered_is_forgotten_and_in_the_log_once(world, key, worker):
    await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    await worker[0].acknowledge([job.job_id])
    for _ in range(2):
        await worker[0].report(job.job_id, "")
    with pytest.raises(NotFoundError):
        await worker[1].get(job.job_id)
    assert await events(world, "callback") == [("delivered", "", f"bank/{job.job_id}")]


async def events(world, name):
    columns = (audit_outbox.c.event, audit_outbox.c.result, audit_outbox.c.reason)
    found = await rows_of(world, *columns, audit_outbox.c.subject)
    return [tuple(row[1:]) for row in found if row[0] == name]


async def given_up(world, worker):
    await approve(world, files_offer(FILES))
    (job,) = await worker[0].fetch(10)
    await worker[0].acknowledge([job.job_id])
    await worker[0].report(job.job_id, "the partner says 503")
    assert await worker[0].fetch(10) == []
    return job.job_id


@pytest.fixture
async def admin(world):
    """Connect officers to AdminService."""

    async def connect(*who):
        return admin_pb2_grpc.AdminServiceStub(await officer(world, *who))

    return connect


def asked(job_id, **changes):
    words = {"reason": "scheduled", "ticket": "INC-9"} | changes
    return admin_pb2.ReplayDeadLetterRequest(job_id=bytes.fromhex(job_id), **words)


@pytest.mark.causes("dead-letter")
async def test_what_was_given_up_is_shown_and_replayed_by_an_officer(world, key, worker, admin):
    job_id = await given_up(world, worker)
    desk = await admin("olena", "officer")
    (letter,) = (await desk.ListDeadLetters(admin_pb2.ListDeadLettersRequest(limit=10))).letters
    assert (letter.job_id.hex(), letter.kind, letter.about) == (job_id, "callback.post", "bank")
    assert (letter.reason, letter.given_up_at_s) == (
        "the partner says 503",
        int(world.clock().timestamp()),
    )
    body = await worker[1].get(job_id)
    await desk.ReplayDeadLetter(asked(job_id))
    (job,) = await worker[0].fetch(10)
    assert (job.job_id, job.again, await worker[1].get(job_id)) == (job_id, True, body)
    left = (await desk.ListDeadLetters(admin_pb2.ListDeadLettersRequest(limit=10))).letters
    assert list(left) == []
    about = f"callback.post:{job_id}:INC-9"
    assert await events(world, "dead-letter") == [("replayed", "scheduled", about)]
    with pytest.raises(grpc.aio.AioRpcError, match="no such job was given up"):
        await desk.ReplayDeadLetter(asked(job_id))
    await worker[0].acknowledge([job_id])
    await worker[0].report(job_id, "")
    assert [one[0] for one in await events(world, "callback")] == ["undeliverable", "delivered"]


async def test_an_auditor_sees_dead_letters_and_replays_none(world, key, worker, admin):
    job_id = await given_up(world, worker)
    desk = await admin("borys", "auditor")
    listed = await desk.ListDeadLetters(admin_pb2.ListDeadLettersRequest(limit=10))
    assert len(listed.letters) == 1
    with pytest.raises(grpc.aio.AioRpcError, match="auditor"):
        await desk.ReplayDeadLetter(asked(job_id))
    stranger = await admin("mallory", None)
    with pytest.raises(grpc.aio.AioRpcError, match="no officer's"):
        await stranger.ListDeadLetters(admin_pb2.ListDeadLettersRequest(limit=10))
    with pytest.raises(grpc.aio.AioRpcError, match="no officer"):
        await stranger.ReplayDeadLetter(asked(job_id))
    assert await worker[0].fetch(10) == []


@pytest.mark.parametrize("limit", [0, 1001])
async def test_letters_are_listed_in_bounds(admin, limit):
    desk = await admin("olena", "officer")
    with pytest.raises(grpc.aio.AioRpcError, match="1 to 1000"):
        await desk.ListDeadLetters(admin_pb2.ListDeadLettersRequest(limit=limit))


async def test_only_the_worker_gets_callbacks(world, key, worker):
    job_id = await given_up(world, worker)
    with pytest.raises(DeniedError):
        await CallbacksClient(await world.internal()).get(job_id)


async def test_an_id_of_another_size_is_refused(world):
    stub = CallbacksServiceStub(await world.internal("worker.internal"))
    with pytest.raises(grpc.aio.AioRpcError, match="16 bytes"):
        await stub.GetCallback(callbacks_pb2.GetCallbackRequest(callback_id=b"x" * 15))


async def test_after_a_week_nothing_is_kept(world, key, worker):
    job_id = await given_up(world, worker)
    world.clock.now += timedelta(seconds=KEPT_S - 1)
    await worker[1].get(job_id)
    world.clock.now += timedelta(seconds=1)
    with pytest.raises(NotFoundError):
        await worker[1].get(job_id)
    rows, kept = Callbacks(world.parts.engine), await rows_of(world, table)
    now_s = int(world.clock().timestamp())
    async with write_transaction(world.parts.engine) as connection:
        await rows.drop_expired(connection, now_s)
    assert (len(kept), await rows_of(world, table)) == (1, [])


async def test_no_personal_data_is_in_a_job(world, key, worker):
    await approve(world, files_offer(FILES))
    (body,) = [row.body for row in await rows_of(world, job_outbox.c.body)]
    assert body == b'{"partner_id": "bank"}'
