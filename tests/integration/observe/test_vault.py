"""What a vault's work leaves in metrics and spans: every step, and nothing about anybody."""

import re
import uuid

import pytest
import structlog
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from grpc_api.telemetry import make_provider
from signer_core.audit.events import Event
from signer_core.errors import PinRejectedError
from signer_core.identifiers import KeyId
from signer_core.observe import spans
from signer_core.observe.metrics import REGISTRY
from signer_core.observe.spans import ATTRIBUTES

STEPS = {
    "VaultEnrolment.step2_commit",
    "VaultEnrolment.step4_offer",
    "VaultEnrolment.step6_commit_check",
    "VaultEnrolment.step8_open_check",
    "enrol.activate",
    "sign.admit",
    "VaultSigning.step2_commit",
    "VaultSigning.step4_open",
    "sign.go_live",
    "judge.count",
    "VaultSigning.verify_pin",
    "VaultSigning.finish",
    "judge.release",
    "sign.acknowledge",
}


@pytest.fixture
def exported(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = make_provider("vault", SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def sample(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


async def work(world):
    """Enrol, type a wrong PIN, then the right one; return the phone and the request."""
    phone = await world.citizen()
    ask = await world.request(phone)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    await world.signing(phone, ask).run()
    return phone, ask


async def test_every_step_is_a_span_and_timed(world, exported):
    before = {one: sample("signer_step_seconds_count", step=one) for one in STEPS}
    await work(world)
    assert {one.name for one in exported.get_finished_spans()} >= STEPS
    for step in STEPS:
        assert sample("signer_step_seconds_count", step=step) > before[step], step


async def test_verdicts_sessions_and_events_are_counted(world):
    def read():
        return (
            sample("signer_pin_verdicts_total", code="ok"),
            sample("signer_pin_verdicts_total", code="pin_rejected"),
            sample("signer_sessions_total", code="pin_rejected"),
            sample("signer_audit_events_total", event="sign", result="pin-rejected"),
            sample("signer_audit_events_total", event="key-enrolled", result="active"),
            sample("signer_sessions_open"),
        )

    before = read()
    await work(world)
    # two right ones: of the key's own certificate request, and of the document
    grown = [after - once for once, after in zip(before, read(), strict=True)]
    assert grown == [2, 1, 1, 1, 1, 0]
    assert sample("signer_transaction_seconds_count", kind="write") > 0


async def test_an_event_that_was_undone_is_not_counted(world):
    before = sample("signer_audit_events_total", event="certificate-hold", result="queued")

    async def undo():
        async with world.vault.context.store.transaction() as transaction:
            await transaction.record(Event("certificate-hold", "queued", KeyId(bytes(16))))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undo()
    assert sample("signer_audit_events_total", event="certificate-hold", result="queued") == before


async def test_spans_tell_the_correlation_id_and_a_code_and_nothing_else(world, exported):
    correlation_id = uuid.uuid4().hex
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
        phone, ask = await work(world)
    told = exported.get_finished_spans()
    for one in told:
        assert set(one.attributes) <= ATTRIBUTES
        assert (one.events, one.status.description) == ((), None)
        assert f"{one.context.trace_id:032x}" == one.attributes["correlation_id"] == correlation_id
    text = " ".join(one.to_json() for one in told)
    for secret in (phone.key_id, ask.request_id, phone.share.public_key):
        assert bytes(secret).hex() not in text


async def test_no_label_is_an_id_or_grows_with_people(world):
    await work(world)
    await work(world)
    for metric in REGISTRY.collect():
        for one in metric.samples:
            for label, value in one.labels.items():
                assert label in {"code", "event", "kind", "le", "method", "operation", "result"} | {
                    "status",
                    "step",
                }
                assert re.fullmatch(r"[A-Za-z0-9_./+-]{1,80}", value), (metric.name, value)
                assert not re.search(r"[0-9a-f]{16}", value)
