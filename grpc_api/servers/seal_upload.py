"""The stream that has PDFs sealed."""

from grpc_api.gen.signer.internal.v1 import seals_pb2 as wire
from grpc_api.servers.file_stream import FileStream
from signer_core.documents import SealStamp
from signer_core.seals.model import FileToSeal


class SealUpload:
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(self) -> None:
        self._stream: FileStream[wire.SealHeader, wire.SealFileStart] = FileStream(
            "one call seals 1 to 64 PDFs", "one call seals 1 to 64 PDFs, after a header", _stamp
        )

    def take(self, message: wire.SealPdfsRequest) -> None:
        """Take the next message; raises as `FileStream.take`."""
        self._stream.take(message.WhichOneof("content"), message)

    def finish(self) -> tuple[wire.SealHeader, list[FileToSeal]]:
        """Return what was asked, with all files complete; raises as `FileStream.finish`."""
        header, files = self._stream.finish()
        return header, [FileToSeal(bytes(f.pdf), _stamp(f.start)) for f in files]


def _stamp(start: wire.SealFileStart) -> SealStamp | None:
    if not start.HasField("stamp"):
        return None
    said = start.stamp
    return SealStamp(said.recipient, said.purpose, said.copy_number, said.check_address)
