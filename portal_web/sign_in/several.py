"""Errands of several kinds behind one page."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from portal_web.sign_in.ports import Flow, Flows
from signer_core.errors import NotFoundError
from signer_core.identifiers import OfferId


@dataclass(frozen=True, slots=True)
class SeveralFlows:
    """Asks each kind in turn: names and offers are random, no two kinds know the same one."""

    kinds: Sequence[Flows]

    def find(self, request: Request, flow: str) -> Flow:
        """See `Flows.find`."""
        return self._whose(request, flow).find(request, flow)

    async def renew(self, request: Request, flow: str, *, same_device: bool) -> Response:
        """See `Flows.renew`."""
        whose = self._whose(request, flow)
        return await whose.renew(request, flow, same_device=same_device)

    def returned(self, request: Request, offer_id: OfferId, return_code: bytes) -> Response:
        """See `Flows.returned`."""
        for kind in self.kinds[:-1]:
            try:
                return kind.returned(request, offer_id, return_code)
            except NotFoundError:
                continue
        return self.kinds[-1].returned(request, offer_id, return_code)

    def _whose(self, request: Request, flow: str) -> Flows:
        for kind in self.kinds[:-1]:
            try:
                kind.find(request, flow)
            except NotFoundError:
                continue
            return kind
        return self.kinds[-1]
