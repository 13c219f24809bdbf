"""The phone's channel over a real gRPC stream: what the relay says is never the vault's word."""

import asyncio

import pytest

from grpc_api.channel import vault_channel, vault_context
from grpc_api.clients.phone import PhoneClient
from grpc_api.clients.vault import VaultRelayClient
from grpc_api.credentials import (
    internal_channel,
    internal_server_credentials,
    phone_server_credentials,
)
from grpc_api.gen.signer.phone.v1 import relay_pb2, relay_pb2_grpc
from grpc_api.gen.signer.vault.v1 import vault_pb2, vault_pb2_grpc
from grpc_api.server import make_internal_server, make_phone_server
from signer_core.errors import (
    KeySuspendedError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    UnavailableError,
)
from signer_core.identifiers import KeyId, RequestId, VaultId
from signer_core.ports import Enrolled
from signer_core.protocol.ecdsa2p.messages import EnrolRequest
from tests.fakes.grpc_server import running

KEY_ID, REQUEST_ID = KeyId(b"K" * 16), RequestId(b"R" * 16)
HELLO = EnrolRequest(b"K" * 16, b"N" * 32, b"x" * 4096)


class Relay(relay_pb2_grpc.RelayServiceServicer):
    """Ends the channel itself, or passes it on to a vault."""

    def __init__(self, answer):
        self.answer = answer
        self.header = None

    async def Connect(self, requests, context):  # noqa: N802  named by the proto
        self.header = (await anext(aiter(requests))).header
        chunks = (one.tls_records async for one in requests)
        async for records in self.answer(chunks):
            yield relay_pb2.ConnectResponse(tls_records=records)


class Vault(vault_pb2_grpc.VaultRelayServiceServicer):
    """A vault whose sessions are one function of the channel."""

    def __init__(self, context, serve):
        self.context = context
        self.serve = serve

    async def Connect(self, requests, context):  # noqa: N802  named by the proto
        chunks = (one.tls_records async for one in requests)
        out = asyncio.Queue()

        async def read():
            return await anext(chunks, b"")

        async def run():
            channel = await vault_channel(read, out.put, self.context)
            await self.serve(channel)
            await channel.close()
            await out.put(None)

        task = asyncio.create_task(run())
        while (records := await out.get()) is not None:
            yield vault_pb2.ConnectResponse(tls_records=records)
        await task


class World:
    """A phone, a relay and a vault."""

    def __init__(self, certificates, phone_at, relay):
        self.identity, _ = certificates.device()
        self.root = certificates.root
        self.client = PhoneClient.at(phone_at, "signer.internal", self.identity, self.root)
        self.relay = relay

    def open(self):
        return self.client.open_vault_channel(
            self.identity, self.root, VaultId("vault-1"), KEY_ID, REQUEST_ID
        )


@pytest.fixture
async def world(certificates):
    vault_tls = certificates.process("vault.internal", "vault-1.vault.internal")
    signer_tls = certificates.process("signer.internal")
    vault = Vault(vault_context(vault_tls.cert, vault_tls.key, certificates.device_ca), None)
    vault_server = make_internal_server({"signer.vault.v1.VaultRelayService": ["signer.internal"]})
    vault_pb2_grpc.add_VaultRelayServiceServicer_to_server(vault, vault_server)
    signer = make_phone_server()
    async with (
        running(vault_server, internal_server_credentials(vault_tls)) as vault_at,
        internal_channel(vault_at, "vault.internal", signer_tls) as to_vault,
    ):
        relay = Relay(lambda up: VaultRelayClient(to_vault).connect(up, lambda *_: None))
        relay_pb2_grpc.add_RelayServiceServicer_to_server(relay, signer)
        credentials = phone_server_credentials(signer_tls, certificates.device_ca)
        async with running(signer, credentials) as phone_at:
            made = World(certificates, phone_at, relay)
            made.vault = vault
            yield made
            await made.client.close()


async def test_phone_and_vault_talk_through_both_streams(world):
    async def serve(channel):
        assert await channel.receive() == HELLO
        await channel.send(Enrolled())

    world.vault.serve = serve
    async with world.open() as channel:
        await channel.send(HELLO)
        assert await channel.receive() == Enrolled()
        with pytest.raises(ProtocolAbortError):
            await channel.receive()
    assert (world.relay.header.key_id, world.relay.header.request_id) == (KEY_ID, REQUEST_ID)


async def test_the_vault_s_word_arrives(world):
    async def serve(channel):
        await channel.receive()
        await channel.fail(PinRejectedError(5, 7))

    world.vault.serve = serve
    async with world.open() as channel:
        await channel.send(HELLO)
        with pytest.raises(PinRejectedError) as raised:
            await channel.receive()
    assert (raised.value.attempts_left, raised.value.hold_until_s) == (5, 7)


async def _talk(world):
    async with world.open() as channel:
        await channel.send(HELLO)
        await channel.receive()


@pytest.mark.parametrize("after_records", [0, 1])
@pytest.mark.parametrize(
    "lie", [RetireShareError("retired"), KeySuspendedError("suspended"), PinRejectedError(1)]
)
async def test_the_relay_s_word_is_never_the_vault_s(world, lie, after_records):
    honest = world.relay.answer

    async def serve(channel):
        await channel.receive()
        await channel.send(Enrolled())

    async def lying(chunks):
        if after_records:
            yield await anext(honest(chunks))
        raise lie

    world.vault.serve = serve
    world.relay.answer = lying
    with pytest.raises(UnavailableError):
        await _talk(world)
