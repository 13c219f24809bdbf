"""Bytes that are no protobuf: refused with a typed error, after the caller was checked."""

import grpc
import pytest
from google.protobuf.message import DecodeError

from grpc_api.clients.calls import typed_errors
from grpc_api.credentials import internal_server_credentials
from grpc_api.server import make_internal_server
from signer_core.errors import DeniedError, InvalidRequestError
from tests.fakes.grpc_server import running
from tests.integration.wire.conftest import CALLERS, KINDS, SERVICE, call_kind


def undecodable(_data):
    raise DecodeError("what was sent, quoted")


async def single(request, _context):
    if hasattr(request, "__aiter__"):
        assert [one async for one in request] == []
    return b"done"


async def streamed(request, context):
    yield await single(request, context)


HANDLERS = {
    "UnaryUnary": grpc.unary_unary_rpc_method_handler(single, undecodable),
    "UnaryStream": grpc.unary_stream_rpc_method_handler(streamed, undecodable),
    "StreamUnary": grpc.stream_unary_rpc_method_handler(single, undecodable),
    "StreamStream": grpc.stream_stream_rpc_method_handler(streamed, undecodable),
}


@pytest.fixture
async def address(server_tls):
    server = make_internal_server(CALLERS)
    handler = grpc.method_handlers_generic_handler(SERVICE, HANDLERS)
    server.add_generic_rpc_handlers((handler,))
    async with running(server, internal_server_credentials(server_tls)) as at:
        yield at


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_that_cannot_be_decoded_is_invalid(connect, kind):
    async with connect("portal.internal") as channel:
        with pytest.raises(InvalidRequestError, match="no message") as refused, typed_errors():
            await call_kind(channel, kind)
    assert "quoted" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_may_not_call_is_refused_before_decoding(connect, kind):
    async with connect("health.internal") as channel:
        with pytest.raises(DeniedError), typed_errors():
            await call_kind(channel, kind)
