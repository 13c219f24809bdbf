"""The seal service as the portal and the worker see it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from grpc_api.clients.calls import STREAM_DEADLINE_S, call, stream, typed_errors
from grpc_api.gen.signer.internal.v1 import seals_pb2 as pb
from grpc_api.gen.signer.internal.v1 import seals_pb2_grpc
from grpc_api.metadata import correlation_metadata
from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.errors import UnavailableError
from signer_core.seals.model import DetachedSeal, FileToSeal, Level, Reached, RepairId, SealedPdf

_REPAIR_DEADLINE_S = 60.0  # a PDF of 20 MiB, three answers of the trust services


@dataclass(frozen=True, slots=True)
class RepairState:
    """How far the repair of a seal is."""

    asked: Level
    reached: Level
    expires_at_s: int  # Unix time: until then it is kept


class SealClient:
    """What an internal caller may have sealed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = seals_pb2_grpc.SealServiceStub(channel)

    async def seal_pdfs(
        self, seal_id: str, level: Level, files: Sequence[FileToSeal]
    ) -> list[SealedPdf]:
        """Seal 1 to 64 PDFs, all of them or none.

        Raises:
            InvalidRequestError: a PDF cannot be sealed; the message says which and why.
            DeniedError: this caller may not use this seal.
            UnavailableError: the signer or the vault is away.
        """
        answers = self._stub.SealPdfs(
            _upload(seal_id, level, files),
            timeout=STREAM_DEADLINE_S,
            metadata=correlation_metadata(),
        )
        sealed: list[tuple[pb.SealedFile, bytearray]] = []
        with typed_errors():
            async for answer in answers:
                if answer.WhichOneof("content") == "file":
                    sealed.append((answer.file, bytearray()))
                elif sealed:
                    sealed[-1][1].extend(answer.chunk)
        if [start.size_bytes for start, _ in sealed] != [len(pdf) for _, pdf in sealed]:
            raise UnavailableError("the sealed files were cut short: try again")
        return [SealedPdf(bytes(pdf), _reached(start.reached)) for start, pdf in sealed]

    async def seal_digests(
        self, seal_id: str, level: Level, digests: Sequence[bytes]
    ) -> list[DetachedSeal]:
        """Make detached seals of contents that have these SHA-256; raises as `seal_pdfs`."""
        contents = [pb.Content(sha256=digest) for digest in digests]
        message = pb.SealBytesRequest(seal_id=seal_id, level=_wire(level), contents=contents)
        return _detached((await call(self._stub.SealBytes, message)).seals)

    async def seal_json(
        self, seal_id: str, level: Level, texts: Sequence[bytes]
    ) -> list[DetachedSeal]:
        """Make detached seals of JSON texts in canonical form; raises as `seal_pdfs`."""
        message = pb.SealJsonRequest(seal_id=seal_id, level=_wire(level), texts=texts)
        return _detached((await call(self._stub.SealJson, message)).seals)

    async def level(self, repair_id: RepairId) -> RepairState:
        """Return how far a repair is.

        Raises:
            NotFoundError: no such repair of this caller, or it has expired.
        """
        answer = await call(self._stub.GetLevel, pb.GetLevelRequest(repair_id=repair_id))
        return RepairState(Level(answer.asked), Level(answer.reached), answer.expires_at_s)

    async def repair(self, repair_id: RepairId) -> None:
        """Raise a seal to the level asked; for the worker.

        Raises:
            NotFoundError: nobody needs it any more: the job is done.
            UnavailableError: what it lacks is still away: try again later.
        """
        message = pb.RepairRequest(repair_id=repair_id)
        await call(self._stub.Repair, message, _REPAIR_DEADLINE_S)

    async def repaired(self, repair_id: RepairId) -> bytes:
        """Return a seal as far as it is repaired; raises as `level`."""
        message = pb.GetRepairedRequest(repair_id=repair_id)
        return b"".join([one.chunk async for one in stream(self._stub.GetRepaired, message)])

    async def forget(self, repair_id: RepairId) -> None:
        """Drop what is kept for a repair; repeating it is harmless."""
        await call(self._stub.Forget, pb.ForgetRequest(repair_id=repair_id))


async def _upload(
    seal_id: str, level: Level, files: Sequence[FileToSeal]
) -> AsyncIterator[pb.SealPdfsRequest]:
    yield pb.SealPdfsRequest(header=pb.SealHeader(seal_id=seal_id, level=_wire(level)))
    for file in files:
        yield pb.SealPdfsRequest(file=_start(file))
        for at in range(0, len(file.pdf), MAX_CHUNK_BYTES):
            yield pb.SealPdfsRequest(chunk=file.pdf[at : at + MAX_CHUNK_BYTES])


def _start(file: FileToSeal) -> pb.SealFileStart:
    start = pb.SealFileStart(size_bytes=len(file.pdf))
    if file.stamp is not None:
        said = file.stamp
        start.stamp.CopyFrom(
            pb.Stamp(
                recipient=said.recipient,
                purpose=said.purpose,
                copy_number=said.copy_number,
                check_address=said.check_address,
            )
        )
    return start


def _wire(level: Level) -> pb.Level.ValueType:
    return pb.Level.Value(f"LEVEL_{level.name}")


def _reached(level: pb.Reached) -> Reached:
    repair_id = RepairId(level.repair_id) if level.repair_id else None
    return Reached(Level(level.asked), Level(level.reached), repair_id)


def _detached(seals: Sequence[Any]) -> list[DetachedSeal]:
    return [DetachedSeal(one.cms, _reached(one.reached), one.sha256) for one in seals]
