"""The two ends of the channel between phone and vault."""

import ssl
from dataclasses import dataclass

from grpc_api.channel.engine import TlsEngine
from grpc_api.channel.messages import FromVault
from grpc_api.channel.stream import MessageStream, Read, Write
from grpc_api.failure import Failure, error_of, failure_of
from signer_core.errors import ProtocolAbortError, SignerError
from signer_core.identifiers import VaultId
from signer_core.ports import Enrolled, EpochAcked
from signer_core.protocol.ecdsa2p.messages import Message


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds one end waits."""

    handshake_s: float = 10.0  # the vault's machine under load; a full handshake takes 4 ms
    receive_s: float = 90.0  # a judgement may take 60 s, docs/spec/ecdsa2p.md §3.1
    send_s: float = 30.0


VAULT_TIMEOUTS = Timeouts(receive_s=600.0)  # a person reads before typing the PIN


class DeviceChannel:
    """The phone's end. Mutable: it holds the connection."""

    def __init__(self, stream: MessageStream, timeouts: Timeouts) -> None:
        self._stream = stream
        self._timeouts = timeouts

    async def receive(self) -> FromVault:
        """Return the vault's next message.

        Raises:
            SignerError: the typed error that the vault's `Failure` names. Only this may retire
                or suspend anything on the phone.
            ProtocolAbortError: the channel ended or was changed on the way.
        """
        message = await self._stream.receive(self._timeouts.receive_s)
        if isinstance(message, Failure):
            await self._stream.close()
            raise error_of(message)
        return message

    async def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            ProtocolAbortError: the channel ended.
        """
        await self._stream.send(message, self._timeouts.send_s)

    async def close(self) -> None:
        """End the channel; harmless when it has ended."""
        await self._stream.close()


class VaultChannel:
    """The vault's end: `signer_core.ports.Channel`. Mutable: it holds the connection."""

    def __init__(self, stream: MessageStream, timeouts: Timeouts) -> None:
        self._stream = stream
        self._timeouts = timeouts

    @property
    def device_certificate(self) -> bytes:
        """The phone's certificate, DER; issued by the device CA, its key shown to be held."""
        return self._stream.peer_certificate

    async def receive(self) -> Message:
        """Return the phone's next message.

        Raises:
            ProtocolAbortError: the channel ended or was changed on the way, or the message is
                one that only a vault sends.
        """
        message = await self._stream.receive(self._timeouts.receive_s)
        if isinstance(message, Failure | Enrolled | EpochAcked):
            raise ProtocolAbortError("a phone does not send this message", culprit="device")
        return message

    async def send(self, message: FromVault) -> None:
        """Send one message.

        Raises:
            ProtocolAbortError: the channel ended.
        """
        await self._stream.send(message, self._timeouts.send_s)

    async def finish(self, message: FromVault) -> None:
        """Send the last message, and close; raises as `send`."""
        await self._stream.finish(message, self._timeouts.send_s)

    async def fail(self, error: SignerError) -> None:
        """Tell the phone why the session is over, and close; raises as `send`."""
        await self._stream.finish(failure_of(error), self._timeouts.send_s)

    async def close(self) -> None:
        """End the channel; harmless when it has ended."""
        await self._stream.close()


async def device_channel(
    read: Read,
    write: Write,
    context: ssl.SSLContext,
    vault_id: VaultId,
    timeouts: Timeouts = Timeouts(),
) -> DeviceChannel:
    """Open the phone's end, over `contexts.device_context`.

    A vault that refuses this phone says so in the first `receive`: in TLS 1.3 the client's
    handshake ends before the server has seen the client's certificate.

    Raises:
        ProtocolAbortError: the other end is not this vault, or speaks another version.
    """
    engine = TlsEngine(context, server_hostname=f"{vault_id}.vault.internal")
    stream = MessageStream(engine, read, write)
    await stream.handshake(timeouts.handshake_s)
    return DeviceChannel(stream, timeouts)


async def vault_channel(
    read: Read, write: Write, context: ssl.SSLContext, timeouts: Timeouts = VAULT_TIMEOUTS
) -> VaultChannel:
    """Open the vault's end, over `contexts.vault_context`.

    Raises:
        ProtocolAbortError: the phone shows no certificate of the device CA, or speaks another
            version.
    """
    stream = MessageStream(TlsEngine(context, server_hostname=None), read, write)
    await stream.handshake(timeouts.handshake_s)
    return VaultChannel(stream, timeouts)
