"""A stream that brings PDFs: a header, then each file's start and chunks, in this order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.errors import InvalidRequestError
from signer_core.signing.rules import MAX_FILES, check_sizes


class Start(Protocol):
    """What announces a file."""

    @property
    def size_bytes(self) -> int:
        """Its whole size."""
        ...


H = TypeVar("H")
S = TypeVar("S", bound=Start)


H_co = TypeVar("H_co", covariant=True)
S_co = TypeVar("S_co", bound=Start, covariant=True)


class Message(Protocol[H_co, S_co]):
    """One message of such a stream: its oneof `content` holds one of the three."""

    @property
    def header(self) -> H_co:
        """What is asked; first and once."""
        ...

    @property
    def file(self) -> S_co:
        """A file begins."""
        ...

    @property
    def chunk(self) -> bytes:
        """The next bytes of the file that began, at most 64 KiB."""
        ...


@dataclass(slots=True)
class File(Generic[S]):
    """A file that is arriving. Mutable: it grows."""

    start: S
    pdf: bytearray = field(default_factory=bytearray)


def _accept(_start: Start) -> None:
    """Every start is well: its size is checked for all."""


class FileStream(Generic[H, S]):
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(
        self,
        limit: str,
        missing: str,
        check: Callable[[S], object] = _accept,
        sizes: Callable[[Sequence[int]], None] = check_sizes,
    ) -> None:
        """`limit` and `missing` are said of too many files, and of none or no header.

        `check` refuses a start, and `sizes` those of all files, before a byte is kept.
        """
        self._limit, self._missing, self._check, self._sizes = limit, missing, check, sizes
        self._header: H | None = None
        self._files: list[File[S]] = []

    def take(self, kind: str | None, message: Message[H, S]) -> None:
        """Take the next message, of which `kind` is there.

        Raises:
            InvalidRequestError: it is out of order, or a count or size is exceeded.
        """
        if kind == "header" and self._header is None:
            self._header = message.header
        elif kind == "file" and self._header is not None:
            self._start(message.file)
        elif kind == "chunk" and self._files:
            self._append(message.chunk)
        else:
            raise InvalidRequestError("send the header once, then each file's start and chunks")

    def finish(self) -> tuple[H, list[File[S]]]:
        """Return the header and the files, all complete.

        Raises:
            InvalidRequestError: something is missing.
        """
        header, files = self.finish_any()
        if not files:
            raise InvalidRequestError(self._missing)
        return header, files

    def finish_any(self) -> tuple[H, list[File[S]]]:
        """Return the header and the files, perhaps none, all complete.

        Raises:
            InvalidRequestError: something is missing.
        """
        self._check_complete()
        if self._header is None:
            raise InvalidRequestError(self._missing)
        return self._header, self._files

    def _start(self, start: S) -> None:
        self._check_complete()
        if len(self._files) == MAX_FILES:
            raise InvalidRequestError(self._limit)
        # Declared sizes are checked before a byte of them is kept.
        self._sizes([*(f.start.size_bytes for f in self._files), start.size_bytes])
        self._check(start)
        self._files.append(File(start))

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
