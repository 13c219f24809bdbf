"""Messages in a byte stream: a length of 4 bytes, big-endian, then at most 1 MiB."""

from signer_core.errors import ProtocolAbortError

MAX_MESSAGE_BYTES = 1 << 20  # docs/spec/ecdsa2p.md §0
_LENGTH_BYTES = 4


def frame(message: bytes) -> bytes:
    """Put the length before a message.

    Raises:
        ProtocolAbortError: the message is empty or over 1 MiB.
    """
    _check_length(len(message))
    return len(message).to_bytes(_LENGTH_BYTES, "big") + message


class Deframer:
    """Cuts a byte stream into messages. Mutable: it holds the unfinished rest of the stream."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, in pieces of any size."""
        self._rest += data

    def next_message(self) -> bytes | None:
        """Return the next whole message, None while it is incomplete.

        Raises:
            ProtocolAbortError: the length is 0 or over 1 MiB; nothing more can be read.
        """
        if len(self._rest) < _LENGTH_BYTES:
            return None
        length = int.from_bytes(self._rest[:_LENGTH_BYTES], "big")
        _check_length(length)
        end = _LENGTH_BYTES + length
        if len(self._rest) < end:
            return None
        message = bytes(self._rest[_LENGTH_BYTES:end])
        del self._rest[:end]
        return message

    @property
    def is_empty(self) -> bool:
        """True between two messages."""
        return not self._rest


def _check_length(length: int) -> None:
    if not 0 < length <= MAX_MESSAGE_BYTES:
        raise ProtocolAbortError("a message of the channel has a forbidden length")
