"""Receiving the one message that is due."""

from typing import TypeVar

from signer_core.errors import ProtocolAbortError
from signer_core.ports import Channel
from signer_core.protocol.ecdsa2p.messages import Message

M = TypeVar("M", bound=Message)


async def receive(channel: Channel, kind: type[M]) -> M:
    """Return the peer's next message.

    Raises:
        ProtocolAbortError: it is another one than `kind`, or the channel ended.
    """
    message = await channel.receive()
    if not isinstance(message, kind):
        raise ProtocolAbortError("a message came out of order", culprit="device")
    return message
