"""Errors, callers, correlation and deadlines around calls of every kind, over real mutual TLS."""

import asyncio

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from grpc_api.clients.calls import call, stream, typed_errors
from grpc_api.credentials import internal_channel, phone_server_credentials
from grpc_api.failure import ERRORS
from grpc_api.interceptors import deadlines
from grpc_api.interceptors.errors import STATUS
from grpc_api.interceptors.peer import peer_device
from grpc_api.server import make_phone_server
from signer_core import errors
from signer_core.errors import DeniedError, SignerError, UnavailableError
from tests.fakes.grpc_server import running
from tests.integration.wire.conftest import KINDS, SERVICE, add_service, call_kind

EXAMPLES = [
    errors.SignerError("something"),
    errors.InvalidRequestError("fix it"),
    errors.DeniedError("no"),
    errors.PinRejectedError(4, 1_800_000_000),
    errors.PinRejectedError(8),
    errors.KeyHeldError(1_800_000_000),
    errors.KeyBlockedError("blocked"),
    errors.KeySuspendedError("suspended"),
    errors.RefreshNeededError("refresh it"),
    errors.NotFoundError("nothing here"),
    errors.ProtocolAbortError("over"),
    errors.BusyError("busy"),
    errors.UnknownGenerationError("unknown"),
    errors.RetireShareError("retired"),
    errors.VerificationError("do not trust it"),
    errors.UnavailableError("later"),
]


def _subclasses(kind):
    return {kind}.union(*(_subclasses(child) for child in kind.__subclasses__()))


def _ours():
    return {kind for kind in _subclasses(SignerError) if kind.__module__ == "signer_core.errors"}


def test_every_error_has_a_status_a_code_and_an_example():
    assert set(STATUS) == _ours()
    assert set(ERRORS) == {kind.code for kind in _ours()}
    assert len(ERRORS) == len(_ours())
    assert {type(example) for example in EXAMPLES} == _ours()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
async def test_an_error_arrives_as_it_was_raised(script, connect, kind, error):
    async def act(_context):
        raise error

    script.act = act
    async with connect("portal.internal") as channel:
        with pytest.raises(SignerError) as raised, typed_errors():
            await call_kind(channel, kind)
    arrived = raised.value
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    for field in ("attempts_left", "hold_until_s"):
        assert getattr(arrived, field, None) == getattr(error, field, None)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unexpected_error_tells_the_caller_nothing(script, connect, kind):
    async def act(_context):
        raise ValueError("Зразкова Олена, PIN 12345")

    script.act = act
    with structlog.testing.capture_logs() as logs:
        async with connect("portal.internal") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call_kind(channel, kind)
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert raised.value.details() == "internal error"
    assert "12345" not in repr(raised.value)
    assert "12345" not in repr(logs)
    (logged,) = [one for one in logs if one["event"] == "unexpected"]
    assert logged["kind"] == "ValueError"
    assert "test_interceptors.py" in logged["where"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_allowed_caller_is_served(connect, kind):
    async with connect("portal.internal") as channel:
        answers = await call_kind(channel, kind)
    assert answers == ([b"first", b"second"] if kind.endswith("Stream") else [b"done"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("service", "names"),
    [
        (SERVICE, ("officer.internal",)),
        (SERVICE, ("portal.internal.example",)),
        ("test.v1.Unlisted", ("portal.internal",)),
    ],
)
async def test_nobody_else_is_served(connect, kind, service, names):
    async with connect(*names) as channel:
        with pytest.raises(DeniedError), typed_errors():
            await call_kind(channel, kind, service)


@pytest.mark.parametrize("kind", ["device", "citizen"])
async def test_a_person_s_certificate_is_no_caller(certificates, address, kind):
    identity = {"device": lambda: certificates.device()[0], "citizen": certificates.citizen}[kind]()
    tls = certificates.files(kind, identity.certificate_chain, identity.private_key)
    async with internal_channel(address, "signer.internal", tls) as channel:
        with pytest.raises(SignerError), typed_errors():
            await call_kind(channel, "UnaryUnary")


async def test_no_certificate_no_call(certificates, address):
    credentials = grpc.ssl_channel_credentials(certificates.root)
    options = (("grpc.ssl_target_name_override", "signer.internal"),)
    async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
        with pytest.raises(UnavailableError), typed_errors():
            await call_kind(channel, "UnaryUnary")


async def test_there_is_no_plaintext(address):
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(UnavailableError), typed_errors():
            await call_kind(channel, "UnaryUnary")


async def test_a_client_refuses_another_server(certificates, address):
    tls = certificates.process("portal.internal")
    async with internal_channel(address, "vault.internal", tls) as channel:
        with pytest.raises(UnavailableError), typed_errors():
            await call_kind(channel, "UnaryUnary")


async def test_an_unknown_method_stays_unknown(connect):
    async with connect("portal.internal") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(f"/{SERVICE}/Nothing")(b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_dead_peer_is_unavailable(certificates):
    tls = certificates.process("portal.internal")
    async with internal_channel("127.0.0.1:1", "signer.internal", tls) as channel:
        method = channel.unary_unary("/x/y")
        with pytest.raises(UnavailableError):
            await call(method, b"")
        with pytest.raises(UnavailableError):
            _ = [one async for one in stream(channel.unary_stream("/x/y"), b"")]


async def test_a_client_gives_up_at_its_deadline(script, connect):
    async def act(_context):
        await asyncio.sleep(5)

    script.act = act
    async with connect("portal.internal") as channel:
        with pytest.raises(UnavailableError):
            await call(channel.unary_unary(f"/{SERVICE}/UnaryUnary"), b"", deadline_s=0.2)


async def test_a_server_ends_a_call_that_takes_too_long(script, certificates, monkeypatch):
    ended = asyncio.Event()

    async def act(_context):
        try:
            await asyncio.sleep(5)
        finally:
            ended.set()

    script.act = act
    around = deadlines.deadline_surround(0.1)("/x/y", _unary())
    with pytest.raises(UnavailableError):
        async with around(None):
            await script.single(b"", None)
    assert ended.is_set()


def _unary():
    return grpc.unary_unary_rpc_method_handler(None)


@pytest.mark.parametrize("sent", ["a" * 32, "0123456789abcdef" * 2])
async def test_a_correlation_id_is_taken_over(script, connect, sent):
    assert await _seen(script, connect, [sent]) == sent


@pytest.mark.parametrize("sent", [[], ["A" * 32], ["a" * 31], ["a" * 32, "b" * 32], ["{x: 1}"]])
async def test_a_malformed_correlation_id_is_replaced(script, connect, sent):
    seen = await _seen(script, connect, sent)
    assert seen not in sent
    assert len(bytes.fromhex(seen)) == 16


async def _seen(script, connect, sent):
    seen = []

    async def act(_context):
        seen.append(structlog.contextvars.get_contextvars()["correlation_id"])

    script.act = act
    metadata = tuple(("correlation-id", one) for one in sent)
    async with connect("portal.internal") as channel:
        await call_kind(channel, "UnaryUnary", metadata=metadata)
    return seen[0]


async def test_clients_pass_the_correlation_id_on(script, connect):
    seen = []

    async def act(_context):
        seen.append(structlog.contextvars.get_contextvars()["correlation_id"])

    script.act = act
    async with connect("portal.internal") as channel:
        with structlog.contextvars.bound_contextvars(correlation_id="c" * 32):
            await call(channel.unary_unary(f"/{SERVICE}/UnaryUnary"), b"")
    assert seen == ["c" * 32]


async def test_health_answers_its_caller_only(connect):
    async with connect("health.internal") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
    async with connect("portal.internal") as channel:
        with pytest.raises(DeniedError), typed_errors():
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())


async def test_reflection_lists_the_services_to_officers(connect):
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async with connect("officer.internal") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call_ = stub.ServerReflectionInfo(iter([request]))
        answer = await call_.read()
        call_.cancel()
    assert SERVICE in {one.name for one in answer.list_services_response.service}


@pytest.fixture
async def phone_address(certificates, script, server_tls):
    server = make_phone_server()
    add_service(server, script)
    credentials = phone_server_credentials(server_tls, certificates.device_ca)
    async with running(server, credentials) as at:
        yield at


async def test_the_phone_listener_knows_the_device_by_its_key(certificates, phone_address, script):
    seen = []

    async def act(context):
        seen.append(peer_device(context))

    script.act = act
    identity, key_hash = certificates.device()
    tls = certificates.files("device", identity.certificate_chain, identity.private_key)
    async with internal_channel(phone_address, "signer.internal", tls) as channel:
        await call_kind(channel, "UnaryUnary")
    assert seen == [key_hash]


@pytest.mark.parametrize("kind", ["process", "citizen"])
async def test_the_phone_listener_takes_devices_only(certificates, phone_address, kind):
    if kind == "process":
        tls = certificates.process("portal.internal")
    else:
        identity = certificates.citizen()
        tls = certificates.files(kind, identity.certificate_chain, identity.private_key)
    async with internal_channel(phone_address, "signer.internal", tls) as channel:
        with pytest.raises(UnavailableError), typed_errors():
            await call_kind(channel, "UnaryUnary")
