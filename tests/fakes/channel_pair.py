"""A phone and a vault on one relay in memory, which may record and change what passes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from grpc_api.channel import Timeouts, device_channel, vault_channel
from signer_core.errors import SignerError

QUICK = Timeouts(handshake_s=1.0, receive_s=1.0, send_s=1.0)
Tamper = Callable[[bytes], bytes]


@dataclass
class Line:
    """One direction of the relay."""

    tamper: Tamper = bytes
    sent: bytearray = field(default_factory=bytearray)
    queue: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    async def write(self, chunk: bytes) -> None:
        self.sent += chunk
        await self.queue.put(self.tamper(chunk))

    async def read(self) -> bytes:
        return await self.queue.get()

    async def hang_up(self) -> None:
        await self.queue.put(b"")


@dataclass
class Relay:
    to_vault: Line = field(default_factory=Line)
    to_device: Line = field(default_factory=Line)

    async def device(self, context, vault_id="vault-1"):
        device = await device_channel(
            self.to_device.read, self.to_vault.write, context, vault_id, QUICK
        )
        await device._stream._flush()  # what would go with the first message
        return device

    async def vault(self, context):
        return await vault_channel(self.to_vault.read, self.to_device.write, context, QUICK)

    async def open(self, device_context, vault_context, vault_id="vault-1"):
        """Open both ends; an end that fails hangs up on the other."""
        return await asyncio.gather(
            outcome(self.device(device_context, vault_id), self.to_vault),
            outcome(self.vault(vault_context), self.to_device),
        )


async def outcome(coroutine, line: Line):
    """Return the result, or the typed error; any other error is a failed test."""
    try:
        return await coroutine
    except SignerError as error:
        await line.hang_up()
        return error


class RecordTamper:
    """Changes one byte of one TLS record of the stream: `where` is (length) -> position."""

    def __init__(self, record: int, where: Callable[[int], int]) -> None:
        self._record = record
        self._where = where
        self._rest = bytearray()
        self._seen = 0
        self.kind: int | None = None  # content type of the record changed

    def __call__(self, chunk: bytes) -> bytes:
        self._rest += chunk
        out = bytearray()
        while len(self._rest) >= 5:
            end = 5 + int.from_bytes(self._rest[3:5], "big")
            if len(self._rest) < end:
                break
            record = bytearray(self._rest[:end])
            del self._rest[:end]
            if self._seen == self._record:
                self.kind = record[0]
                record[self._where(len(record))] ^= 1
            self._seen += 1
            out += record
        return bytes(out)
