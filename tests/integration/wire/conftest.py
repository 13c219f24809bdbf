"""A server with one method of each kind, whose behaviour a test chooses."""

import grpc
import pytest

from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.server import add_health_and_reflection, make_internal_server
from tests.fakes.grpc_server import running

SERVICE = "test.v1.Service"
CALLERS = {
    SERVICE: ["portal.internal"],
    "grpc.health.v1.Health": ["health.internal"],
    "grpc.reflection.v1alpha.ServerReflection": ["officer.internal"],
}
KINDS = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")


class Script:
    """What the methods do: `act` runs before the second answer."""

    async def act(self, context):
        pass

    async def single(self, request, context):
        await self.act(context)
        return b"done"

    async def streamed(self, request, context):
        yield b"first"
        await self.act(context)
        yield b"second"


@pytest.fixture
def script():
    return Script()


def add_service(server, script, service=SERVICE):
    handlers = {
        "UnaryUnary": grpc.unary_unary_rpc_method_handler(script.single),
        "UnaryStream": grpc.unary_stream_rpc_method_handler(script.streamed),
        "StreamUnary": grpc.stream_unary_rpc_method_handler(script.single),
        "StreamStream": grpc.stream_stream_rpc_method_handler(script.streamed),
    }
    handler = grpc.method_handlers_generic_handler(service, handlers)
    server.add_generic_rpc_handlers((handler,))


@pytest.fixture
def server_tls(certificates):
    return certificates.process("signer.internal")


@pytest.fixture
async def address(script, server_tls):
    server = make_internal_server(CALLERS)
    add_service(server, script)
    add_service(server, script, "test.v1.Unlisted")
    await add_health_and_reflection(server, [SERVICE])
    async with running(server, internal_server_credentials(server_tls)) as at:
        yield at


@pytest.fixture
def connect(certificates, address):
    def connect_as(*names):
        return internal_channel(address, "signer.internal", certificates.process(*names))

    return connect_as


async def call_kind(channel, kind, service=SERVICE, **options):
    """Call a method of the test service; returns all answers."""
    path = f"/{service}/{kind}"
    method = {
        "UnaryUnary": channel.unary_unary,
        "UnaryStream": channel.unary_stream,
        "StreamUnary": channel.stream_unary,
        "StreamStream": channel.stream_stream,
    }[kind](path)

    async def requests():
        yield b"request"

    call = method(requests() if kind.startswith("Stream") else b"request", timeout=5, **options)
    if kind.endswith("Stream"):
        return [answer async for answer in call]
    return [await call]
