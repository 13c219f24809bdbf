"""Framed messages over TLS over a pair of callables that carry bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from grpc_api.channel.codec import decode, encode
from grpc_api.channel.engine import TlsEngine
from grpc_api.channel.framing import Deframer, frame
from grpc_api.channel.messages import ChannelMessage
from signer_core.errors import ProtocolAbortError, SignerError

Read = Callable[[], Awaitable[bytes]]
"""Return the next bytes of the peer, any number; none at the end of the stream."""
Write = Callable[[bytes], Awaitable[None]]
"""Carry bytes, at most 64 KiB a call, to the peer."""

MAX_WRITE_BYTES = 1 << 16  # grpc_api/protos/signer/vault/v1/vault.proto, ConnectRequest


class MessageStream:
    """Messages of one channel. Mutable: it holds the connection; an error is its end."""

    def __init__(self, engine: TlsEngine, read: Read, write: Write) -> None:
        self._engine = engine
        self._read = read
        self._write = write
        self._deframer = Deframer()
        self._open = True

    @property
    def peer_certificate(self) -> bytes:
        """The verified certificate of the peer, DER."""
        return self._engine.peer_certificate

    async def handshake(self, timeout_s: float) -> None:
        """Open the channel; the phone's last records of it go out with its first message.

        A write less costs a millisecond less in three processes (docs/performance.md).

        Raises:
            ProtocolAbortError: the peer is not the right one, or too slow.
        """
        async with self._fatal(timeout_s):
            while not self._engine.handshake():
                await self._flush()
                self._engine.feed(await self._read())

    async def receive(self, timeout_s: float) -> ChannelMessage:
        """Return the next message.

        Raises:
            ProtocolAbortError: the channel ended or was changed on the way, the message is
                malformed, or none came in time.
        """
        async with self._fatal(timeout_s):
            while (message := self._deframer.next_message()) is None:
                await self._fill()
            return decode(message)

    async def send(self, message: ChannelMessage, timeout_s: float) -> None:
        """Send one message.

        Raises:
            ProtocolAbortError: the channel ended, or the message has not its shape.
        """
        async with self._fatal(timeout_s):
            self._engine.write(frame(encode(message)))
            await self._flush()

    async def finish(self, message: ChannelMessage, timeout_s: float) -> None:
        """Send the last message and end the channel, in one write; raises as `send`."""
        async with self._fatal(timeout_s):
            self._engine.write(frame(encode(message)))
            self._engine.close()
            await self._flush()
        self._open = False

    async def close(self) -> None:
        """End the channel; harmless when it has ended."""
        if self._open:
            self._open = False
            if self._engine.close():
                with suppress(SignerError):
                    await self._flush()

    @asynccontextmanager
    async def _fatal(self, timeout_s: float) -> AsyncIterator[None]:
        """Make any error inside, and a cancellation, the end of this channel."""
        if not self._open:
            raise ProtocolAbortError("the channel has ended")
        self._open = False
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError:
            raise ProtocolAbortError("the other side of the channel did not answer") from None
        except SignerError:
            with suppress(SignerError):
                await self._flush()  # the alert, so that the peer knows too
            raise
        self._open = True

    async def _fill(self) -> None:
        while not (data := self._engine.read()):
            await self._flush()
            self._engine.feed(await self._read())
        self._deframer.feed(data)

    async def _flush(self) -> None:
        records = self._engine.outgoing()
        for start in range(0, len(records), MAX_WRITE_BYTES):
            await self._write(records[start : start + MAX_WRITE_BYTES])
