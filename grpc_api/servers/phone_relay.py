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
from signer_core.ports import SignedItem, TellConsumed
from signer_core.storage.signer.requests import Requests

Relay = Callable[[AsyncIterator[bytes], TellConsumed], AsyncGenerator[bytes, None]]
"""Carry the phone's records to the vault, yield the vault's; closing it hangs up."""
Ended = Callable[[RequestId, tuple[SignedItem, ...] | None], None]
"""Hear that a stream about this request is over, and what the vault says it signed."""


@dataclass(frozen=True, slots=True)
class RelayServicer(services.RelayServiceServicer):
    """Forwards bytes; knows only the device, the request and the sizes."""

    door: DeviceDoor
    requests: Requests
    relay: Relay
    gate: StreamGate
    limits: RelayLimits
    ended: Ended

    @override
    async def Connect(  # type: ignore[override]  # the stubs know only generators; gRPC also takes a coroutine that writes to its context
        self, request_iterator: AsyncIterator[wire.ConnectRequest], context: Context
    ) -> None:
        """Open a channel to the vault, for as long as both sides want it."""
        device = await self.door.identify(context)
        with self.gate.admit(device.key_hash):
            request_id = await self._accept_header(request_iterator, device)
            signed: dict[RequestId, tuple[SignedItem, ...] | None] = {}
            try:
                forwarding = _Forwarding(
                    request_iterator, lambda up: self.relay(up, signed.__setitem__), self.limits
                )
                await forwarding.run(context)
            finally:
                if request_id is not None:
                    signed.setdefault(request_id, None)  # it may have been, all the same
                for one, items in signed.items():  # also another one than it was opened about
                    self.ended(one, items)

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
        self,
        phone: AsyncIterator[wire.ConnectRequest],
        relay: Callable[[AsyncIterator[bytes]], AsyncGenerator[bytes, None]],
        limits: RelayLimits,
    ) -> None:
        self._phone = phone
        self._limits = limits
        self._from_vault = relay(self._to_vault())
        self._refused: InvalidRequestError | None = None
        self._alarm: asyncio.Timeout | None = None

    async def run(self, context: Context) -> None:
        """Write what the vault says, while what the phone says goes to the vault.

        Raises:
            InvalidRequestError: the phone sent something else than records.
            ProtocolAbortError: nobody said anything for too long.
        """
        try:
            async with asyncio.timeout(self._limits.idle_s) as self._alarm:
                async for records in self._from_vault:
                    self._touch()
                    await context.write(wire.ConnectResponse(tls_records=records))
        except TimeoutError:
            raise self._refused or _idle() from None
        finally:
            self._alarm = None
            await self._from_vault.aclose()
        if self._refused is not None:
            raise self._refused

    async def _to_vault(self) -> AsyncIterator[bytes]:
        """Yield the phone's records. An error ends them and is raised in `run`, at once."""
        try:
            async for message in self._phone:
                self._touch()
                yield self._checked(message)
        except InvalidRequestError as error:
            self._refused = error
            self._ring(0)

    def _checked(self, message: wire.ConnectRequest) -> bytes:
        records = message.tls_records
        if message.WhichOneof("content") != "tls_records" or not records:
            raise InvalidRequestError("after the header a stream carries TLS records")
        if len(records) > self._limits.message_bytes:
            raise InvalidRequestError("a message carries at most 64 KiB")
        return records

    def _touch(self) -> None:
        if self._refused is None:
            self._ring(self._limits.idle_s)

    def _ring(self, in_s: float) -> None:
        if self._alarm is not None and not self._alarm.expired():
            self._alarm.reschedule(asyncio.get_running_loop().time() + in_s)


def _idle() -> ProtocolAbortError:
    return ProtocolAbortError("no message for too long: the connection is closed")
