"""SigningService: what the portal and other internal callers ask of the signer."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import signing_pb2 as wire
from grpc_api.gen.signer.internal.v1 import signing_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_names
from grpc_api.servers.internal_upload import Upload
from grpc_api.servers.phone_requests import POLL_S
from grpc_api.servers.phone_views import chunks, parse_request_id
from signer_core.errors import NotFoundError, UnavailableError
from signer_core.signing.close import Closing
from signer_core.signing.collect import Collection
from signer_core.signing.create import Creation
from signer_core.signing.model import Clock, Request, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.requests import Requests

CREATE_LIMIT_S: Final = 300.0  # 100 MiB over a slow internal link, and 64 PDFs to prepare
ASK_AGAIN_S: Final = 30.0  # the vault knows of a signature whose signer died before it collected


@dataclass(frozen=True, slots=True)
class SigningServicer(services.SigningServiceServicer):
    """Makes, shows and withdraws requests, and gives out what was signed."""

    requests: Requests
    files: Files
    certificates: Certificates
    creation: Creation
    collection: Collection
    closing: Closing
    notices: Notices
    clock: Clock

    @override
    async def CreateRequest(
        self, request_iterator: AsyncIterator[wire.CreateRequestRequest], context: Context
    ) -> wire.CreateRequestResponse:
        """Make a request and open it for the person's phone."""
        caller = ",".join(sorted(peer_names(context)))
        try:
            async with asyncio.timeout(CREATE_LIMIT_S):
                upload = Upload()
                async for message in request_iterator:
                    upload.take(message)
                request_id = await self.creation.create(upload.finish(caller))
        except TimeoutError:
            raise UnavailableError("the files took too long: try again") from None
        return wire.CreateRequestResponse(request_id=request_id)

    @override
    async def GetRequest(
        self, request: wire.GetRequestRequest, context: Context
    ) -> wire.GetRequestResponse:
        """Tell the state of a request, asking the vault if it is open."""
        found = await self._fresh(request.request_id)
        return wire.GetRequestResponse(state=await self._state(found))

    @override
    async def WatchRequest(
        self, request: wire.WatchRequestRequest, context: Context
    ) -> AsyncIterator[wire.WatchRequestResponse]:
        """Send the state now and at each change, until it is final."""
        found = await self._fresh(request.request_id)
        sent: wire.RequestState | None = None
        asked_s = time.monotonic()
        with self.notices.watch(found.request_id) as bell:
            while sent is None or sent.status == wire.STATUS_OPEN:
                if time.monotonic() - asked_s > ASK_AGAIN_S:
                    await self._fresh(request.request_id)
                    asked_s = time.monotonic()
                state = await self._state(await self.requests.get(found.request_id))
                if state != sent:
                    yield wire.WatchRequestResponse(state=state)
                    sent = state
                else:
                    await bell.wait(POLL_S)

    @override
    async def WithdrawRequest(
        self, request: wire.WithdrawRequestRequest, context: Context
    ) -> wire.WithdrawRequestResponse:
        """Close an open request."""
        await self.closing.withdraw(await self._get(request.request_id))
        return wire.WithdrawRequestResponse()

    @override
    async def GetSignedDocument(
        self, request: wire.GetSignedDocumentRequest, context: Context
    ) -> AsyncIterator[wire.GetSignedDocumentResponse]:
        """Stream a signed document; one that was signed a moment ago is finished first."""
        found = await self._fresh(request.request_id)
        pdf = await self.files.signed(found.request_id, request.file_index)
        for chunk in chunks(pdf):
            yield wire.GetSignedDocumentResponse(chunk=chunk)

    async def _fresh(self, raw_id: bytes) -> Request:
        found = await self._get(raw_id)
        if found.status is RequestStatus.OPEN:
            return await self.collection.refresh(found.request_id)
        return found

    async def _get(self, raw_id: bytes) -> Request:
        found = await self.requests.get(parse_request_id(raw_id))
        # what came of an offer is collected there, once, by whoever it is for
        if found.status is RequestStatus.NEW or found.content.offer_id is not None:
            raise NotFoundError("no such request")
        return found

    async def _state(self, request: Request) -> wire.RequestState:
        status = request.status_at(int(self.clock().timestamp()))
        state = wire.RequestState(
            status=wire.Status.Value(f"STATUS_{status.name}"),
            expires_at_s=request.expires_at_s,
            file_names=[file.name for file in request.files],
            decline_reason=request.decline_reason,
        )
        if status is RequestStatus.CONSUMED:
            certificate = await self.certificates.of_key(request.content.key_id)
            state.certificate = certificate.certificate
        elif status is RequestStatus.REPLACED:
            state.successor = await self.requests.successor(request.request_id) or b""
        return state
