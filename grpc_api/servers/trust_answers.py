"""What both trust services do: the vault's for the signer, the signer's for the portal."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from grpc_api.interceptors.around import Context
from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.trust.ports import TrustServices


class TrustAnswers:
    """Converts; the port answers. `wire` has the messages of the one service or the other."""

    wire: ClassVar[Any]

    def __init__(self, trust: TrustServices) -> None:
        self._trust = trust

    async def GetCertificate(  # noqa: N802  the service's name
        self, request: Any, _context: Context
    ) -> Any:
        """Return a certificate."""
        found = await self._trust.certificate(request.name)
        return self.wire.GetCertificateResponse(certificate=found)

    async def GetCrl(  # noqa: N802  the service's name
        self, request: Any, _context: Context
    ) -> AsyncIterator[Any]:
        """Yield a CRL in pieces, or only the number of the one that the caller has."""
        found = await self._trust.crl(request.issuer, request.known_number)
        if found is None:
            yield self.wire.GetCrlResponse(number=request.known_number)
            return
        for start in range(0, len(found.der), MAX_CHUNK_BYTES):
            part = found.der[start : start + MAX_CHUNK_BYTES]
            yield self.wire.GetCrlResponse(number=found.number, part=part)

    async def AnswerOcsp(  # noqa: N802  the service's name
        self, request: Any, _context: Context
    ) -> Any:
        """Answer OCSP requests."""
        answers = await self._trust.answer_ocsps(tuple(request.requests))
        return self.wire.AnswerOcspResponse(answers=answers)

    async def Timestamp(  # noqa: N802  the service's name
        self, request: Any, _context: Context
    ) -> Any:
        """Answer a timestamp request."""
        answer = await self._trust.timestamp(request.request)
        return self.wire.TimestampResponse(answer=answer)
