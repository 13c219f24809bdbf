"""The stream that makes a request: a header, then each file's start and chunks, in this order."""

from dataclasses import dataclass, field
from typing import Final

from grpc_api.gen.signer.internal.v1 import signing_pb2 as wire
from signer_core.errors import InvalidRequestError
from signer_core.signing import rules
from signer_core.signing.new_request import NewFile, NewRequest

MAX_CHUNK_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class _File:
    """A file that is arriving. Mutable: it grows."""

    start: wire.FileStart
    pdf: bytearray = field(default_factory=bytearray)


class Upload:
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(self) -> None:
        self._header: wire.RequestHeader | None = None
        self._files: list[_File] = []

    def take(self, message: wire.CreateRequestRequest) -> None:
        """Take the next message.

        Raises:
            InvalidRequestError: it is out of order, or a count or size is exceeded.
        """
        kind = message.WhichOneof("content")
        if kind == "header" and self._header is None:
            self._header = message.header
        elif kind == "file" and self._header is not None:
            self._start(message.file)
        elif kind == "chunk" and self._files:
            self._append(message.chunk)
        else:
            raise InvalidRequestError("send the header once, then each file's start and chunks")

    def finish(self, caller: str) -> NewRequest:
        """Return what was asked, with all files complete.

        Raises:
            InvalidRequestError: something is missing.
        """
        self._check_complete()
        if self._header is None or not self._files:
            raise InvalidRequestError("a request has a header and 1 to 64 files")
        return NewRequest(
            caller=caller,
            idempotency_key=self._header.idempotency_key,
            person_code=self._header.person_code,
            relying_party_id=self._header.relying_party_id,
            purpose=self._header.purpose,
            return_address=self._header.return_address,
            ttl_s=self._header.ttl_s,
            files=tuple(
                NewFile(f.start.name, bytes(f.pdf), f.start.visible, f.start.page)
                for f in self._files
            ),
        )

    def _start(self, start: wire.FileStart) -> None:
        self._check_complete()
        if len(self._files) == rules.MAX_FILES:
            raise InvalidRequestError("a request has 1 to 64 files")
        # Declared sizes are checked before a byte of them is kept.
        rules.check_sizes([*(f.start.size_bytes for f in self._files), start.size_bytes])
        self._files.append(_File(start))

    def _append(self, chunk: bytes) -> None:
        file = self._files[-1]
        if not 1 <= len(chunk) <= MAX_CHUNK_BYTES:
            raise InvalidRequestError("a chunk has 1 byte to 64 KiB")
        if len(file.pdf) + len(chunk) > file.start.size_bytes:
            raise InvalidRequestError("a file is longer than its start said")
        file.pdf += chunk

    def _check_complete(self) -> None:
        if self._files and len(self._files[-1].pdf) != self._files[-1].start.size_bytes:
            raise InvalidRequestError("a file is shorter than its start said")
