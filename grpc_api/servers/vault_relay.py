"""VaultRelayService: the vault's end of a phone's channel, over a stream of TLS records."""

import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from grpc_api.channel import vault_channel
from grpc_api.gen.signer.vault.v1 import vault_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.server_options import MAX_CHUNK_BYTES
from grpc_api.servers.vault_requests import signed_item
from signer_core.errors import InvalidRequestError, ProtocolAbortError, SignerError
from signer_core.identifiers import RequestId
from signer_core.ports import SignedItem, VaultSessions


@dataclass(frozen=True, slots=True)
class VaultRelayServicer(services.VaultRelayServiceServicer):
    """Opens a channel over each stream and serves one session in it."""

    sessions: VaultSessions
    tls: ssl.SSLContext  # of `grpc_api.channel.vault_context`

    @override
    async def Connect(  # type: ignore[override]  # the stubs know only generators; gRPC also takes a coroutine that writes to its context
        self, request_iterator: Any, context: Context
    ) -> None:
        """Serve one phone; a session's error is told inside the channel, not to the signer."""
        consumed: wire.ConsumedRequest | None = None

        def tell(request_id: RequestId, items: tuple[SignedItem, ...]) -> None:
            nonlocal consumed
            consumed = wire.ConsumedRequest(request_id=request_id, items=map(signed_item, items))

        async def write(records: bytes) -> None:
            nonlocal consumed
            message = wire.ConnectResponse(tls_records=records, consumed=consumed)
            consumed = None
            await context.write(message)

        channel = await vault_channel(lambda: _read(request_iterator), write, self.tls)
        try:
            await self.sessions.serve(channel.device_certificate, channel, tell)
        except SignerError as error:
            with suppress(ProtocolAbortError):  # the channel may be what ended
                await channel.fail(error)
        else:
            await channel.close()


async def _read(requests: AsyncIterator[wire.ConnectRequest]) -> bytes:
    """Return the phone's next records; none at the end of the stream."""
    message = await anext(requests, None)
    if message is None:
        return b""
    records: bytes = message.tls_records
    if len(records) > MAX_CHUNK_BYTES:
        raise InvalidRequestError("at most 64 KiB of TLS records a message")
    return records
