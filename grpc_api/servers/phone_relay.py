"""RelayService: TLS records of a phone to the vault and back, unread (docs/spec/ecdsa2p.md §0)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import relay_pb2 as wire
from grpc_api.gen.signer.phone.v1 import relay_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.phone_identity import Device, DeviceDoor
from grpc_api.servers.phone_limits import RelayLimits, StreamGate
from grpc_api.servers.phone_views import own_request_id
from signer_core.errors import InvalidRequestError, NotFoundError, ProtocolAbortError
from signer_core.identifiers import RequestId
from signer_core.storage.signer.requests import Requests

Relay = Callable[[AsyncIterator[bytes]], AsyncGenerator[bytes, None]]
"""Carry the phone's records to the vault, yield the vault's; closing it hangs up."""


@dataclass(frozen=True, slots=True)
class RelayServicer(services.RelayServiceServicer):
    """Forwards bytes; knows only the device, the request and the sizes."""

    door: DeviceDoor
    requests: Requests
    relay: Relay
    gate: StreamGate
    limits: RelayLimits
    ended: Callable[[RequestId], None]  # tells that a stream about this request is over

    @override
    async def Connect(
        self, request_iterator: AsyncIterator[wire.ConnectRequest], context: Context
    ) -> AsyncIterator[wire.ConnectResponse]:
        """Open a channel to the vault, for as long as both sides want it."""
        device = await self.door.identify(context)
        with self.gate.admit(device.key_hash):
            request_id = await self._accept_header(request_iterator, device)
            try:
                forwarding = _Forwarding(request_iterator, self.relay, self.limits)
                async for records in forwarding.run():
                    yield wire.ConnectResponse(tls_records=records)
            finally:
                if request_id is not None:
                    self.ended(request_id)

    async def _accept_header(
        self, request_iterator: AsyncIterator[wire.ConnectRequest], device: Device
    ) -> RequestId | None:
        """Read the first message: the device's own key, and a request of that key.

        Returns None where the stream is about the key itself: enrolment, refresh, PIN change.
        """
        try:
            async with asyncio.timeout(self.limits.idle_s):
                first = await anext(request_iterator, None)
        except TimeoutError:
            raise _idle() from None
        if first is None or first.WhichOneof("content") != "header":
            raise InvalidRequestError("the first message of a stream is its header")
        if first.header.key_id != device.key_id:
            raise NotFoundError("this device has no such key")
        if first.header.request_id == device.key_id:
            return None
        return await own_request_id(self.requests, device.key_id, first.header.request_id)


class _Forwarding:
    """Both directions of one stream. Mutable: it knows when the last message passed.

    Back-pressure: neither side is read before its last message has been taken.
    """

    def __init__(
        self, phone: AsyncIterator[wire.ConnectRequest], relay: Relay, limits: RelayLimits
    ) -> None:
        self._phone = phone
        self._limits = limits
        self._from_vault = relay(self._to_vault())
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._touch()

    async def run(self) -> AsyncIterator[bytes]:
        """Yield what the vault says, while what the phone says goes to the vault."""
        try:
            while records := await self._next_from_vault():
                yield records
        finally:
            if not self._refused.cancel():
                self._refused.exception()  # seen, or else asyncio reports it as lost
            await self._from_vault.aclose()

    async def _next_from_vault(self) -> bytes:
        """Return the vault's next records; none at the end.

        Raises:
            InvalidRequestError: the phone sent something else than records.
            ProtocolAbortError: nobody said anything for too long.
        """
        read = asyncio.ensure_future(anext(self._from_vault, b""))
        try:
            while not read.done():
                if self._left_s() <= 0:
                    raise _idle()
                both = (read, self._refused)
                await asyncio.wait(
                    both, timeout=self._left_s(), return_when=asyncio.FIRST_COMPLETED
                )
                if self._refused.done():
                    self._refused.result()  # raises
        finally:
            if not read.done():
                read.cancel()
                await asyncio.wait({read})
        self._touch()
        return read.result()

    async def _to_vault(self) -> AsyncIterator[bytes]:
        """Yield the phone's records. An error ends them and is raised in `_next_from_vault`."""
        async for message in self._phone:
            self._touch()
            try:
                yield self._checked(message)
            except InvalidRequestError as error:
                if not self._refused.done():
                    self._refused.set_exception(error)
                return

    def _checked(self, message: wire.ConnectRequest) -> bytes:
        records = message.tls_records
        if message.WhichOneof("content") != "tls_records" or not records:
            raise InvalidRequestError("after the header a stream carries TLS records")
        if len(records) > self._limits.message_bytes:
            raise InvalidRequestError("a message carries at most 64 KiB")
        return records

    def _touch(self) -> None:
        self._last = asyncio.get_running_loop().time()

    def _left_s(self) -> float:
        return self._last + self._limits.idle_s - asyncio.get_running_loop().time()


def _idle() -> ProtocolAbortError:
    return ProtocolAbortError("no message for too long: the connection is closed")
