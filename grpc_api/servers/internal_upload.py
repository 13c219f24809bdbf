"""The stream that makes a request of its header and its files."""

from grpc_api.gen.signer.internal.v1 import signing_pb2 as wire
from grpc_api.servers.file_stream import FileStream
from signer_core.signing.new_request import NewFile, NewRequest


class Upload:
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(self) -> None:
        self._stream: FileStream[wire.RequestHeader, wire.FileStart] = FileStream(
            "a request has 1 to 64 files", "a request has a header and 1 to 64 files"
        )

    def take(self, message: wire.CreateRequestRequest) -> None:
        """Take the next message; raises as `FileStream.take`."""
        self._stream.take(message.WhichOneof("content"), message)

    def finish(self, caller: str) -> NewRequest:
        """Return what was asked, with all files complete; raises as `FileStream.finish`."""
        header, files = self._stream.finish()
        return NewRequest(
            caller=caller,
            idempotency_key=header.idempotency_key,
            person_code=header.person_code,
            relying_party_id=header.relying_party_id,
            purpose=header.purpose,
            return_address=header.return_address,
            ttl_s=header.ttl_s,
            files=tuple(
                NewFile(f.start.name, bytes(f.pdf), f.start.visible, f.start.page) for f in files
            ),
        )
