"""The trust services of another process (`signer_core.trust.ports.TrustServices`)."""

from collections.abc import Sequence
from typing import Any

import grpc

from grpc_api.clients.calls import call, stream
from grpc_api.gen.signer.internal.v1 import trust_pb2, trust_pb2_grpc
from grpc_api.gen.signer.vault.v1 import vault_trust_pb2, vault_trust_pb2_grpc
from signer_core.errors import VerificationError
from signer_core.trust.ports import Crl


class _Client:
    """Either of the two services: their messages are alike."""

    def __init__(self, stub: Any, wire: Any) -> None:
        self._stub, self._wire = stub, wire

    async def certificate(self, name: str) -> bytes:
        """See `TrustServices.certificate`."""
        message = self._wire.GetCertificateRequest(name=name)
        answer = await call(self._stub.GetCertificate, message)
        found: bytes = answer.certificate
        return found

    async def crl(self, issuer: str, known_number: int = 0) -> Crl | None:
        """See `TrustServices.crl`."""
        message = self._wire.GetCrlRequest(issuer=issuer, known_number=known_number)
        number, parts = 0, []
        async for piece in stream(self._stub.GetCrl, message):
            number = piece.number
            parts.append(piece.part)
        der = b"".join(parts)
        return Crl(number, der) if der else None

    async def answer_ocsps(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        """See `TrustServices.answer_ocsps`."""
        asked = self._wire.AnswerOcspRequest(requests=requests)
        answers = tuple((await call(self._stub.AnswerOcsp, asked)).answers)
        if len(answers) != len(requests):
            raise VerificationError("the other side has not answered every OCSP request")
        return answers

    async def timestamp(self, request: bytes) -> bytes:
        """See `TrustServices.timestamp`."""
        asked = self._wire.TimestampRequest(request=request)
        answer: bytes = (await call(self._stub.Timestamp, asked)).answer
        return answer


class VaultTrustClient(_Client):
    """The vault's, as the signer sees them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(vault_trust_pb2_grpc.VaultTrustServiceStub(channel), vault_trust_pb2)


class TrustClient(_Client):
    """The signer's, as the portal sees them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(trust_pb2_grpc.TrustServiceStub(channel), trust_pb2)
