"""The stream that makes an offer of its header, its hashes and documents for reading."""

from grpc_api.gen.signer.internal.v1 import offers_pb2 as wire
from grpc_api.servers.file_stream import FileStream
from signer_core.sharing.offers.new_offer import NewFile, NewOffer
from signer_core.signing.rules import check_sizes_for_reading


class OfferUpload:
    """Takes the messages of one stream. Mutable: it grows; an error is its end."""

    def __init__(self) -> None:
        self._stream: FileStream[wire.OfferHeader, wire.HashedFile] = FileStream(
            "an offer has at most 64 files",
            "an offer has a header",
            sizes=check_sizes_for_reading,
        )

    def take(self, message: wire.CreateOfferRequest) -> None:
        """Take the next message; raises as `FileStream.take`."""
        self._stream.take(message.WhichOneof("content"), message)

    def finish(self, caller: str) -> NewOffer:
        """Return what was asked, with all documents complete; raises as `FileStream.finish`."""
        header, files = self._stream.finish_any()
        return NewOffer(
            caller=caller,
            idempotency_key=header.idempotency_key,
            relying_party_id=header.relying_party_id,
            kind=header.kind,
            purpose=header.purpose,
            return_address=header.return_address,
            challenge=header.challenge,
            statement=header.statement,
            ttl_s=header.ttl_s,
            initiator=header.initiator,
            same_device=header.same_device,
            person_code=header.person_code,
            files=tuple(
                NewFile(f.start.name, f.start.file_hash, bytes(f.pdf), f.start.media_type)
                for f in files
            ),
        )
