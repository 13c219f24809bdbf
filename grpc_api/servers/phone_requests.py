"""RequestsService and ResultsService: what a phone is asked to sign, and what it has signed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import requests_pb2 as wire
from grpc_api.gen.signer.phone.v1 import requests_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_limits import StreamGate
from grpc_api.servers.phone_views import (
    chunks,
    own_request,
    own_request_id,
    request_message,
    status_message,
    within_one_message,
)
from signer_core.identifiers import RequestId
from signer_core.signing.close import Closing
from signer_core.signing.collect import Collection
from signer_core.signing.model import Clock, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.history import History
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import Requests

POLL_S: Final = 2.0  # another signer process may have changed the database


@dataclass(frozen=True, slots=True)
class RequestsServicer(services.RequestsServiceServicer):
    """Requests of the device's own key."""

    door: DeviceDoor
    requests: Requests
    files: Files
    offers: Offers
    history: History
    closing: Closing
    notices: Notices
    watches: StreamGate
    documents: StreamGate
    clock: Clock

    @override
    async def ListRequests(
        self, request: wire.ListRequestsRequest, context: Context
    ) -> wire.ListRequestsResponse:
        """List what can be signed now, newest first."""
        device = await self.door.identify(context)
        now_s = self._now_s()
        found = await self.requests.list_open(device.key_id, now_s)
        shown = (request_message(one, now_s) for one in found)
        return wire.ListRequestsResponse(requests=within_one_message(shown))

    @override
    async def GetRequest(
        self, request: wire.GetRequestRequest, context: Context
    ) -> wire.GetRequestResponse:
        """Show one request."""
        device = await self.door.identify(context)
        found = await own_request(self.requests, device.key_id, request.request_id)
        return wire.GetRequestResponse(request=request_message(found, self._now_s()))

    @override
    async def WatchRequests(
        self, request: wire.WatchRequestsRequest, context: Context
    ) -> AsyncIterator[wire.WatchRequestsResponse]:
        """Send the ids of open requests, each once."""
        device = await self.door.identify(context)
        sent: set[RequestId] = set()
        with self.watches.admit(device.key_hash), self.notices.watch(device.key_id) as bell:
            while True:
                found = await self.requests.list_open(device.key_id, self._now_s())
                for one in reversed(found):
                    if one.request_id not in sent:
                        yield wire.WatchRequestsResponse(request_id=one.request_id)
                sent = {one.request_id for one in found}
                await bell.wait(POLL_S)

    @override
    async def DeclineRequest(
        self, request: wire.DeclineRequestRequest, context: Context
    ) -> wire.DeclineRequestResponse:
        """Close an open request for good."""
        device = await self.door.identify(context)
        found = await own_request(self.requests, device.key_id, request.request_id)
        await self.closing.decline(found, request.reason)
        return wire.DeclineRequestResponse()

    @override
    async def GetDocument(
        self, request: wire.GetDocumentRequest, context: Context
    ) -> AsyncIterator[wire.GetDocumentResponse]:
        """Stream a document as it will be signed, or as the partner sent it for reading."""
        device = await self.door.identify(context)
        request_id = await own_request_id(self.requests, device.key_id, request.request_id)
        with self.documents.admit(device.key_hash):
            document = await self.files.prepared(request_id, request.file_index)
            if not document:  # only its hash is signed
                document = await self.offers.document_of(request_id, request.file_index)
            for chunk in chunks(document):
                yield wire.GetDocumentResponse(chunk=chunk)

    @override
    async def ListHistory(
        self, request: wire.ListHistoryRequest, context: Context
    ) -> wire.ListHistoryResponse:
        """List what is over, the last to end first."""
        device = await self.door.identify(context)
        now_s = self._now_s()
        found = await self.history.of_key(device.key_id, request.limit, request.before_s, now_s)
        shown = (request_message(one, now_s) for one in found)
        return wire.ListHistoryResponse(requests=within_one_message(shown))

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


@dataclass(frozen=True, slots=True)
class ResultsServicer(services.ResultsServiceServicer):
    """Results of the device's own key."""

    door: DeviceDoor
    requests: Requests
    files: Files
    collection: Collection
    documents: StreamGate
    clock: Clock

    @override
    async def GetResult(
        self, request: wire.GetResultRequest, context: Context
    ) -> wire.GetResultResponse:
        """Tell the state of a request, asking the vault if it is open."""
        device = await self.door.identify(context)
        own = await own_request_id(self.requests, device.key_id, request.request_id)
        found = await self.collection.refresh(own)
        signed = len(found.files) if found.status is RequestStatus.CONSUMED else 0
        status = found.status_at(int(self.clock().timestamp()))
        return wire.GetResultResponse(status=status_message(status), signed_files=signed)

    @override
    async def GetSignedDocument(
        self, request: wire.GetSignedDocumentRequest, context: Context
    ) -> AsyncIterator[wire.GetSignedDocumentResponse]:
        """Stream a signed document."""
        device = await self.door.identify(context)
        request_id = await own_request_id(self.requests, device.key_id, request.request_id)
        with self.documents.admit(device.key_hash):
            pdf = await self.files.signed(request_id, request.file_index)
            for chunk in chunks(pdf):
                yield wire.GetSignedDocumentResponse(chunk=chunk)
