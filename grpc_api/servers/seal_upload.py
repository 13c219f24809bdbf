"""The stream that has PDFs sealed: a header, then each file's start and chunks, in this order."""

from dataclasses import dataclass, field

from grpc_api.gen.signer.internal.v1 import seals_pb2 as wire
from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.documents import SealStamp
from signer_core.errors import InvalidRequestError
from signer_core.seals.model import MAX_FILES, FileToSeal
from signer_core.signing.rules import check_sizes


@dataclass(slots=True)
class _File:
    """A file that is arriving. Mutable: it grows."""

    start: wire.SealFileStart
    pdf: bytearray = field(default_factory=bytearray)


class SealUpload:
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(self) -> None:
        self._header: wire.SealHeader | None = None
        self._files: list[_File] = []

    def take(self, message: wire.SealPdfsRequest) -> None:
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

    def finish(self) -> tuple[wire.SealHeader, list[FileToSeal]]:
        """Return what was asked, with all files complete.

        Raises:
            InvalidRequestError: something is missing.
        """
        self._check_complete()
        if self._header is None or not self._files:
            raise InvalidRequestError("one call seals 1 to 64 PDFs, after a header")
        return self._header, [FileToSeal(bytes(f.pdf), _stamp(f.start)) for f in self._files]

    def _start(self, start: wire.SealFileStart) -> None:
        self._check_complete()
        if len(self._files) == MAX_FILES:
            raise InvalidRequestError("one call seals 1 to 64 PDFs")
        # Declared sizes are checked before a byte of them is kept.
        check_sizes([*(f.start.size_bytes for f in self._files), start.size_bytes])
        _stamp(start)
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


def _stamp(start: wire.SealFileStart) -> SealStamp | None:
    if not start.HasField("stamp"):
        return None
    said = start.stamp
    return SealStamp(said.recipient, said.purpose, said.copy_number, said.check_address)
