"""SealService: seals on PDFs, bytes and JSON, for the portal; their repair, for the worker."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import seals_pb2 as wire
from grpc_api.gen.signer.internal.v1 import seals_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_names
from grpc_api.servers.phone_views import chunks
from grpc_api.servers.seal_upload import SealUpload
from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.seals.model import DetachedSeal, Level, Reached, RepairId, SealedPdf, SealUser
from signer_core.seals.repair import Repairs
from signer_core.seals.sealing import Sealing

SERVICE: Final = "signer.internal.v1.SealService"
UPLOAD_LIMIT_S: Final = 300.0  # 100 MiB over a slow internal link
_AT_ONCE: Final = 8  # calls with PDFs: each holds 100 MiB and as much again


@dataclass(frozen=True, slots=True)
class SealServicer(services.SealServiceServicer):
    """Converts; what is asked is checked by `signer_core.seals`."""

    sealing: Sealing
    repairs: Repairs
    places: asyncio.Semaphore

    @override
    async def SealPdfs(
        self, request_iterator: AsyncIterator[wire.SealPdfsRequest], context: Context
    ) -> AsyncIterator[wire.SealPdfsResponse]:
        """Seal PDFs, all of them or none."""
        async with self.places:
            for sealed in await self._seal(request_iterator, context):
                for message in _file_messages(sealed):
                    yield message

    async def _seal(
        self, messages: AsyncIterator[wire.SealPdfsRequest], context: Context
    ) -> Sequence[SealedPdf]:
        upload = SealUpload()
        try:
            async with asyncio.timeout(UPLOAD_LIMIT_S):
                async for message in messages:
                    upload.take(message)
        except TimeoutError:
            raise UnavailableError("the files took too long: try again") from None
        header, files = upload.finish()
        return await self.sealing.seal_pdfs(
            _user(header.seal_id, context), _level(header.level), files
        )

    @override
    async def SealBytes(
        self, request: wire.SealBytesRequest, context: Context
    ) -> wire.SealBytesResponse:
        """Make detached seals."""
        digests = [_digest(content) for content in request.contents]
        user, level = _user(request.seal_id, context), _level(request.level)
        made = await self.sealing.seal_digests(user, level, digests)
        return wire.SealBytesResponse(seals=_detached(made))

    @override
    async def SealJson(
        self, request: wire.SealJsonRequest, context: Context
    ) -> wire.SealJsonResponse:
        """Make detached seals of JSON texts."""
        user, level = _user(request.seal_id, context), _level(request.level)
        made = await self.sealing.seal_json(user, level, request.texts)
        return wire.SealJsonResponse(seals=_detached(made))

    @override
    async def GetLevel(
        self, request: wire.GetLevelRequest, context: Context
    ) -> wire.GetLevelResponse:
        """Tell how far a repair is."""
        found = await self.repairs.get(_repair_id(request.repair_id), peer_names(context))
        return wire.GetLevelResponse(
            asked=_wire_level(found.asked),
            reached=_wire_level(found.reached),
            expires_at_s=found.expires_at_s,
        )

    @override
    async def Repair(self, request: wire.RepairRequest, context: Context) -> wire.RepairResponse:
        """Raise a seal to the level asked."""
        done = await self.repairs.repair(_repair_id(request.repair_id))
        return wire.RepairResponse(asked=_wire_level(done.asked), reached=_wire_level(done.reached))

    @override
    async def GetRepaired(
        self, request: wire.GetRepairedRequest, context: Context
    ) -> AsyncIterator[wire.GetRepairedResponse]:
        """Stream a seal as far as it is repaired."""
        found = await self.repairs.get(_repair_id(request.repair_id), peer_names(context))
        for chunk in chunks(found.document):
            yield wire.GetRepairedResponse(chunk=chunk)

    @override
    async def Forget(self, request: wire.ForgetRequest, context: Context) -> wire.ForgetResponse:
        """Drop what is kept for a repair."""
        await self.repairs.forget(_repair_id(request.repair_id), peer_names(context))
        return wire.ForgetResponse()


def add_seals(server: grpc.aio.Server, sealing: Sealing, repairs: Repairs) -> tuple[str, ...]:
    """Register the service; return its full name."""
    servicer = SealServicer(sealing, repairs, asyncio.Semaphore(_AT_ONCE))
    services.add_SealServiceServicer_to_server(servicer, server)
    return (SERVICE,)


def _user(seal_id: str, context: Context) -> SealUser:
    return SealUser(seal_id, peer_names(context))


def _level(asked: int) -> Level:
    try:
        return Level(asked)
    except ValueError:
        raise InvalidRequestError("a seal is of level B-B, B-T, B-LT or B-LTA") from None


def _wire_level(level: Level) -> wire.Level.ValueType:
    return wire.Level.Value(f"LEVEL_{level.name}")


def _repair_id(raw: bytes) -> RepairId:
    if len(raw) != 16:
        raise InvalidRequestError("the id of a repair has 16 bytes")
    return RepairId(raw)


def _digest(content: wire.Content) -> bytes:
    match content.WhichOneof("content"):
        case "data":
            return hashlib.sha256(content.data).digest()
        case "sha256":
            return content.sha256
        case _:
            raise InvalidRequestError("what is to be sealed is missing: send it, or its SHA-256")


def _detached(made: Iterable[DetachedSeal]) -> Iterator[wire.DetachedSeal]:
    for seal in made:
        yield wire.DetachedSeal(cms=seal.cms, reached=_reached(seal.level), sha256=seal.sha256)


def _file_messages(sealed: SealedPdf) -> Iterator[wire.SealPdfsResponse]:
    start = wire.SealedFile(size_bytes=len(sealed.pdf), reached=_reached(sealed.level))
    yield wire.SealPdfsResponse(file=start)
    for chunk in chunks(sealed.pdf):
        yield wire.SealPdfsResponse(chunk=chunk)


def _reached(level: Reached) -> wire.Reached:
    return wire.Reached(
        asked=_wire_level(level.asked),
        reached=_wire_level(level.reached),
        repair_id=level.repair_id or b"",
    )
