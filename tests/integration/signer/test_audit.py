"""What the signer does for the log at its listeners: who may read it, who is turned away."""

import json

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api import credentials
from grpc_api.gen.signer.internal.v1 import audit_pb2, audit_pb2_grpc, outbox_pb2, outbox_pb2_grpc
from grpc_api.gen.signer.phone.v1 import requests_pb2
from grpc_api.settings import TlsSettings
from signer_core.audit.checkpoint import verify_checkpoint
from signer_core.audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from signer_core.pki.officer import issue_officer
from tests.fakes.pki import issuance, new_key
from tests.fakes.signer_world import key_pem
from tests.fakes.vault_audit import recorded


async def officer(world, name="olena", role="auditor"):
    """Connect an officer with a certificate; `role` None: the vault does not know it."""
    if role:
        world.vault.officers.roles[name] = role
    key, issuer = new_key(), world.hierarchy.infrastructure
    leaf = issue_officer(issuer, issuance(), key.public_key(), name)
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (leaf, issuer.certificate))
    (folder / "cert.pem").write_bytes(chain)
    tls = world.tls("officer.internal")
    (folder / "key.pem").write_bytes(key_pem(key))
    settings = TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=tls.ca)
    channel = credentials.internal_channel(world._at("internal"), "signer.internal", settings)
    return await world.stack.enter_async_context(channel)


async def reader(world, *who, **role):
    return audit_pb2_grpc.AuditServiceStub(await officer(world, *who, **role))


async def rows(world, count=5):
    world.vault.audit.events = [recorded() for _ in range(count)]
    keeper = world.parts.audit.keeper
    await keeper.step()
    return keeper


@pytest.mark.causes("audit-read")
async def test_an_auditor_reads_proves_and_exports_and_that_is_in_the_log(world):
    keeper = await rows(world)
    audit = await reader(world)
    found = await audit.Search(audit_pb2.SearchRequest(key_id=b"k" * 16, limit=2))
    assert [json.loads(row)["seq"] for row in found.rows] == [4, 3]
    first = await audit.Prove(audit_pb2.ProveRequest(row=2))
    key = world.vault.audit.key.public_key()
    signed = verify_checkpoint(first.checkpoint, key)
    verify_inclusion(leaf_hash(first.row), 2, signed.size, signed.root, first.proof)
    await keeper.step()
    later = verify_checkpoint(await keeper.sign_now(), key)
    asked = audit_pb2.ProveConsistencyRequest(old_size=signed.size, size=later.size)
    proof = (await audit.ProveConsistency(asked)).proof
    verify_consistency(signed.size, later.size, signed.root, later.root, proof)
    told = [one async for one in audit.Export(audit_pb2.ExportRequest())]
    lines = b"".join(one.rows for one in told).splitlines()
    assert len(lines) == later.size
    assert b"".join(one.checkpoints for one in told).count(b"\n") == 2
    await keeper.step()
    tail = [one async for one in audit.Tail(audit_pb2.TailRequest(last=1))]
    newest = json.loads(tail[0].rows[0])
    assert (newest["event"], newest["result"]) == ("audit-read", "exported")
    assert (newest["actor_kind"], newest["actor_id"]) == ("officer", "olena")


async def test_who_is_no_officer_reads_nothing(world):
    await rows(world)
    audit = await reader(world, "mallory", role=None)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await audit.Search(audit_pb2.SearchRequest())
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.causes("access")
async def test_a_process_that_may_not_call_is_refused_and_told_once_a_minute(world):
    stub = audit_pb2_grpc.AuditServiceStub(await world.internal("registrar.internal"))
    for _ in range(3):
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetCheckpoint(audit_pb2.GetCheckpointRequest())
    keeper = world.parts.audit.keeper
    await keeper.step()
    (row,) = [json.loads(leaf) for _, leaf in await keeper._reading.rows(0, 10)]
    assert (row["event"], row["source"]) == ("access", "registrar.internal")
    assert row["subject"] == "signer.internal.v1.AuditService"


@pytest.mark.causes("source-shut-out")
async def test_a_source_that_is_shut_out_cannot_call_and_that_is_told(world):
    phone = await world.enrol()
    world.parts.audit.kept.gate.blocked = frozenset({"127.0.0.1"})
    with pytest.raises(grpc.aio.AioRpcError, match="wrong PINs"):
        await phone.requests.ListRequests(requests_pb2.ListRequestsRequest())
    world.parts.audit.kept.gate.blocked = frozenset()
    await phone.requests.ListRequests(requests_pb2.ListRequestsRequest())


async def test_nothing_new_begins_while_the_log_is_not_kept(world):
    phone = await world.enrol()
    world.parts.audit.kept.gate.stopped = True
    with pytest.raises(grpc.aio.AioRpcError, match="audit log"):
        await phone.requests.ListRequests(requests_pb2.ListRequestsRequest())
    findings = [await check for check in world.parts.audit.checks().values()]
    assert findings[0].verdict == "bad"


@pytest.mark.causes("alert")
async def test_the_worker_takes_alerts_and_their_end_is_in_the_log(world):
    world.vault.audit.events = [recorded("row-altered", "refused", reason="keys")]
    keeper = world.parts.audit.keeper
    await keeper.step()
    outbox = outbox_pb2_grpc.OutboxServiceStub(await world.internal("worker.internal"))
    jobs = (await outbox.FetchJobs(outbox_pb2.FetchJobsRequest(limit=10))).jobs
    assert [job.kind for job in jobs] == ["alert.mail", "alert.webhook"]
    ids = [job.job_id for job in jobs]
    await outbox.AcknowledgeJobs(outbox_pb2.AcknowledgeJobsRequest(job_ids=ids))
    assert not (await outbox.FetchJobs(outbox_pb2.FetchJobsRequest(limit=10))).jobs
    for _ in range(2):
        await outbox.ReportJob(outbox_pb2.ReportJobRequest(job_id=ids[0], delivered=True))
        await outbox.ReportJob(outbox_pb2.ReportJobRequest(job_id=ids[1], delivered=False))
    await keeper.step()
    ends = [json.loads(leaf) for _, leaf in await keeper._reading.rows(1, 10)]
    assert [(row["result"], row["reason"], row["subject"]) for row in ends] == [
        ("delivered", "mail", "0"),
        ("undeliverable", "webhook", "0"),
    ]
