"""The phone's stream to its vault: bytes in, bytes out, over the signer's relay."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc

from grpc_api.channel import DeviceChannel, device_channel
from grpc_api.clients.calls import typed_errors
from grpc_api.gen.signer.phone.v1 import relay_pb2, relay_pb2_grpc
from grpc_api.metadata import correlation_metadata
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import KeyId, RequestId, VaultId


class Relay:
    """One open stream. Mutable: it holds the connection.

    The signer may end it with any status, `retire_share` too. Only what TLS carried may retire a
    share or count as a wrong PIN, so every error of the stream is UnavailableError.
    """

    def __init__(
        self, call: grpc.aio.StreamStreamCall[relay_pb2.ConnectRequest, relay_pb2.ConnectResponse]
    ) -> None:
        self._call = call

    async def open(self, key_id: KeyId, request_id: RequestId) -> None:
        """Say whose channel this is; the first thing on the stream."""
        header = relay_pb2.ConnectHeader(key_id=key_id, request_id=request_id)
        await self._send(relay_pb2.ConnectRequest(header=header))

    async def read(self) -> bytes:
        """Return the next bytes, none at the end."""
        with _outside():
            answer = await self._call.read()
            return answer.tls_records if isinstance(answer, relay_pb2.ConnectResponse) else b""

    async def write(self, records: bytes) -> None:
        """Send bytes, at most 64 KiB."""
        await self._send(relay_pb2.ConnectRequest(tls_records=records))

    async def close(self) -> None:
        """Hang up."""
        self._call.cancel()

    async def _send(self, request: relay_pb2.ConnectRequest) -> None:
        with _outside():
            await self._call.write(request)


@asynccontextmanager
async def open_relay(
    channel: grpc.aio.Channel, key_id: KeyId, request_id: RequestId
) -> AsyncIterator[Relay]:
    """Open a stream to the vault; it hangs up at the end.

    Raises:
        UnavailableError: the signer refuses or does not answer, whatever it says.
    """
    stub = relay_pb2_grpc.RelayServiceStub(channel)
    relay = Relay(stub.Connect(metadata=correlation_metadata()))
    try:
        await relay.open(key_id, request_id)
        yield relay
    finally:
        await relay.close()


@asynccontextmanager
async def open_vault_channel(
    channel: grpc.aio.Channel,
    context: ssl.SSLContext,
    vault_id: VaultId,
    key_id: KeyId,
    request_id: RequestId,
) -> AsyncIterator[DeviceChannel]:
    """Open the channel to the vault, for one session (`context` from `device_context`).

    Raises:
        UnavailableError: the relay failed, whatever it said.
        ProtocolAbortError: the other end is not this vault.
    """
    async with open_relay(channel, key_id, request_id) as relay:
        inner = await device_channel(relay.read, relay.write, context, vault_id)
        try:
            yield inner
        finally:
            await inner.close()


@contextmanager
def _outside() -> Iterator[None]:
    try:
        with typed_errors():
            yield
    except SignerError as error:
        raise UnavailableError(f"the connection to the vault broke off ({error.code})") from None
    except asyncio.InvalidStateError:
        raise UnavailableError("the connection to the vault is closed") from None
