"""Who sends an upload hears why it is refused; a server's patience for the rest is limited."""

import asyncio
import pkgutil
import time
from importlib import import_module

import grpc
import pytest

import grpc_api.gen
from grpc_api.clients.calls import typed_errors
from grpc_api.credentials import internal_server_credentials
from grpc_api.interceptors import uploads
from grpc_api.server import make_internal_server
from signer_core.errors import DeniedError, InvalidRequestError, SignerError
from tests.fakes.grpc_server import running

SEALS = "signer.internal.v1.SealService"
CHUNK = bytes(1 << 16)
UPLOADS = ("CreateRequest", "SealPdfs")
CONVERSATIONS = {
    "signer.phone.v1.RelayService.Connect",
    "signer.vault.v1.VaultRelayService.Connect",
}


class Servicer:
    """Refuses every upload at its first message, and a conversation."""

    def refuse(self):
        raise InvalidRequestError("the first message is wrong")

    async def single(self, requests, _context):
        async for _ in requests:
            self.refuse()

    async def streamed(self, requests, _context):
        async for _ in requests:
            self.refuse()
        yield b""


@pytest.fixture
async def address(server_tls):
    server = make_internal_server({SEALS: ["portal.internal"]})
    servicer = Servicer()
    handlers = {
        "CreateRequest": grpc.stream_unary_rpc_method_handler(servicer.single),
        "SealPdfs": grpc.stream_stream_rpc_method_handler(servicer.streamed),
        "Connect": grpc.stream_stream_rpc_method_handler(servicer.streamed),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SEALS, handlers),))
    async with running(server, internal_server_credentials(server_tls)) as at:
        yield at


class Sender:
    """Sends `count` chunks, or for ever, and counts. Mutable."""

    def __init__(self, count=None):
        self.count, self.sent = count, 0

    async def chunks(self):
        while self.sent != self.count:
            yield CHUNK
            self.sent += 1


async def send(channel, method, sender):
    kind = channel.stream_unary if method == "CreateRequest" else channel.stream_stream
    call = kind(f"/{SEALS}/{method}")(sender.chunks(), timeout=10)
    with typed_errors():
        if method == "CreateRequest":
            await call
        else:
            assert [one async for one in call] == []


@pytest.mark.parametrize("method", UPLOADS)
@pytest.mark.parametrize("name", ["portal.internal", "health.internal"])
async def test_a_refused_upload_hears_why_each_time(connect, method, name):
    """Without reading on, grpc.aio's client loses half of these: chunks of 64 KiB, 25 tries."""
    error = DeniedError if name == "health.internal" else InvalidRequestError
    async with connect(name) as channel:
        for _ in range(25):
            with pytest.raises(error):
                await send(channel, method, Sender(10))


@pytest.mark.parametrize("method", UPLOADS)
async def test_an_upload_without_an_end_is_given_up_after_its_bytes(connect, method, monkeypatch):
    monkeypatch.setattr(uploads, "REST_LIMIT_BYTES", 20 * len(CHUNK))
    sender = Sender()
    async with connect("portal.internal") as channel:
        with pytest.raises(SignerError):  # of which kind may be lost: it still sends
            await send(channel, method, sender)
    assert 20 <= sender.sent < 200


@pytest.mark.parametrize("method", UPLOADS)
async def test_an_upload_that_stalls_is_given_up_after_its_time(connect, method, monkeypatch):
    monkeypatch.setattr(uploads, "REST_LIMIT_S", 0.3)
    started = time.monotonic()
    async with connect("portal.internal") as channel:
        with pytest.raises(InvalidRequestError):
            await send(channel, method, Stalled())
    assert 0.3 <= time.monotonic() - started < 3


class Stalled(Sender):
    """Sends one chunk and then nothing, without an end."""

    async def chunks(self):
        yield CHUNK
        await asyncio.sleep(60)


async def test_who_talks_is_refused_at_once(connect):
    started = time.monotonic()
    async with connect("portal.internal") as channel:
        with pytest.raises(InvalidRequestError):
            await send(channel, "Connect", Stalled())
    assert time.monotonic() - started < 3


def test_every_method_with_a_stream_of_requests_is_known():
    """A new one with two streams: does its client wait for answers, or send all first?"""
    both = {
        method.full_name
        for module in pkgutil.walk_packages(grpc_api.gen.__path__, "grpc_api.gen.")
        if module.name.endswith("_pb2")
        for service in import_module(module.name).DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.client_streaming and method.server_streaming
    }
    assert both == CONVERSATIONS | {f"{SEALS}.SealPdfs"}
