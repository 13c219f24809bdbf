"""A process that is told to stop: health says so, nothing new begins, what must end does."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_api import server as grpc_server
from grpc_api.clients.calls import typed_errors
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    serve_until_stopped,
)
from signer_core.errors import UnavailableError
from tests.integration.wire.conftest import CALLERS, SERVICE, add_service, call_kind

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Process:
    """What a process's main does, in this process: SIGTERM reaches it as it would."""

    def __init__(self, script, certificates):
        self.script, self.certificates = script, certificates
        self.may_finish = asyncio.Event()

    @asynccontextmanager
    async def running(self):
        server = make_internal_server(CALLERS)
        add_service(server, self.script)
        health = await add_health_and_reflection(server, [SERVICE])
        tls = internal_server_credentials(self.certificates.process("signer.internal"))
        self.address = f"127.0.0.1:{listen(server, '127.0.0.1:0', tls)}"
        self.ended = asyncio.ensure_future(
            serve_until_stopped([server], health, self.may_finish.wait)
        )
        try:
            yield
        finally:
            self.may_finish.set()
            await asyncio.wait_for(self.ended, 20)

    def stop(self):
        os.kill(os.getpid(), signal.SIGTERM)

    def connect(self, name):
        return internal_channel(self.address, "signer.internal", self.certificates.process(name))


@pytest.fixture
def process(script, certificates):
    return Process(script, certificates)


async def test_health_turns_to_not_serving(process):
    async with process.running(), process.connect("health.internal") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=SERVICE)
        )
        assert (await watch.read()).status == SERVING
        process.stop()
        assert (await asyncio.wait_for(watch.read(), 5)).status == NOT_SERVING
        watch.cancel()


async def test_an_open_stream_ends_well_and_a_new_one_is_refused(process, script):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def act(_context):
        begun.set()
        await go_on.wait()

    script.act = act
    async with process.running(), process.connect("portal.internal") as channel:
        under_way = asyncio.ensure_future(call_kind(channel, "StreamStream"))
        await begun.wait()
        process.stop()
        async with process.connect("health.internal") as other:
            while not await _is_refused(other):
                await asyncio.sleep(0.05)
        go_on.set()
        assert await under_way == [b"first", b"second"]
        assert not process.ended.done()  # it waits for what must not be cut off
        process.may_finish.set()
        await asyncio.wait_for(process.ended, 2)  # nothing is open: no need for a grace


async def test_what_must_finish_is_waited_for_longer_than_the_grace(process, script, monkeypatch):
    monkeypatch.setattr(grpc_server, "GRACE_S", 0.2)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def act(_context):
        begun.set()
        await go_on.wait()

    script.act = act
    async with process.running(), process.connect("portal.internal") as channel:
        under_way = asyncio.ensure_future(call_kind(channel, "UnaryUnary"))
        await begun.wait()
        process.stop()
        await asyncio.sleep(0.6)  # three times the grace
        go_on.set()
        assert await under_way == [b"done"]


async def test_what_may_be_cut_off_is_after_the_grace(process, script, monkeypatch):
    monkeypatch.setattr(grpc_server, "GRACE_S", 0.2)
    begun = asyncio.Event()

    async def act(_context):
        begun.set()
        await asyncio.sleep(60)

    script.act = act
    async with process.running(), process.connect("portal.internal") as channel:
        under_way = asyncio.ensure_future(call_kind(channel, "StreamStream"))
        await begun.wait()
        process.may_finish.set()
        process.stop()
        await asyncio.wait_for(process.ended, 2)
        with pytest.raises(grpc.aio.AioRpcError):
            await under_way


async def _is_refused(channel):
    try:
        with typed_errors():
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    except UnavailableError:
        return True
    return False
