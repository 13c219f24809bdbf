"""Calls are counted by method and code, over real mutual TLS."""

import asyncio

import grpc
import pytest

from signer_core.errors import DeniedError
from signer_core.observe.metrics import REGISTRY
from tests.integration.wire.conftest import KINDS, SERVICE, call_kind


def calls(method, code):
    return REGISTRY.get_sample_value("signer_grpc_calls_total", {"method": method, "code": code})


def grown(method, code, before):
    return (calls(method, code) or 0) - (before or 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [None, DeniedError("no"), ZeroDivisionError()], ids=repr)
async def test_a_call_is_counted_by_what_became_of_it(script, connect, kind, error):
    async def act(_context):
        if error is not None:
            raise error

    script.act = act
    code = {type(None): "ok", DeniedError: "denied", ZeroDivisionError: "internal"}[type(error)]
    before = calls(f"{SERVICE}/{kind}", code)
    async with connect("portal.internal") as channel:
        try:
            await call_kind(channel, kind)
        except grpc.aio.AioRpcError:
            assert error is not None
    assert grown(f"{SERVICE}/{kind}", code, before) == 1
    assert REGISTRY.get_sample_value("signer_grpc_calls_open", {"method": f"{SERVICE}/{kind}"}) == 0


async def test_a_caller_who_is_not_allowed_is_counted_too(connect):
    before = calls(f"{SERVICE}/UnaryUnary", "denied")
    async with connect("officer.internal") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await call_kind(channel, "UnaryUnary")
    assert grown(f"{SERVICE}/UnaryUnary", "denied", before) == 1


async def test_a_method_that_does_not_exist_makes_no_label(connect):
    async with connect("portal.internal") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(f"/{SERVICE}/Invented0123")(b"", timeout=5)
    labels = {s.labels.get("method") for m in REGISTRY.collect() for s in m.samples}
    assert f"{SERVICE}/Invented0123" not in labels


async def test_a_call_that_is_hung_up_on_is_cancelled(script, connect):
    begun = asyncio.Event()

    async def act(_context):
        begun.set()
        await asyncio.sleep(60)

    script.act = act
    before = calls(f"{SERVICE}/StreamStream", "cancelled")
    async with connect("portal.internal") as channel:
        under_way = asyncio.ensure_future(call_kind(channel, "StreamStream"))
        await begun.wait()
        under_way.cancel()
        await asyncio.wait({under_way})
    async with asyncio.timeout(5):
        while not grown(f"{SERVICE}/StreamStream", "cancelled", before):
            await asyncio.sleep(0.05)
