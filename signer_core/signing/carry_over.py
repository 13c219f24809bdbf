"""Waiting requests of a person's old key, made anew under the new one (docs/flows/new-phone.md).

Or of the same key, under its renewed certificate (docs/flows/renewal.md).
"""

import secrets
from dataclasses import dataclass, replace

import structlog

from signer_core.documents import signed_attributes
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.signing.model import Clock, Request, RequestStatus
from signer_core.signing.opening import Opening
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.requests import Requests

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CarryOver:
    """Gives each waiting request a successor: same content, the new key's signed attributes."""

    requests: Requests
    certificates: Certificates
    opening: Opening
    clock: Clock

    async def run(self, old: KeyId, new: KeyId) -> None:
        """Carry over whatever still waits; repeating it after a crash is harmless.

        Raises:
            UnavailableError: the vault is away; repeat it.
        """
        certificate = await self.certificates.of_key(new)
        for request_id in await self.requests.waiting(old, int(self.clock().timestamp())):
            request = await self.requests.get(request_id)
            successor = _successor(request, certificate)
            if successor.files != request.files:  # else it names the renewed certificate already
                await self._carry(successor)

    async def _carry(self, successor: Request) -> None:
        # The same successor again after a crash: at most one request takes another's place.
        assert successor.replaces is not None  # noqa: S101  set by `_successor`
        request_id = await self.requests.add_successor(successor, successor.replaces)
        try:
            await self.opening.open(request_id)
        except UnavailableError:
            raise
        except SignerError as error:  # being signed by the old key just now: then it stays there
            log.warning("carry-over.failed", request_id=request_id.hex(), code=error.code)


def _successor(request: Request, certificate: PersonCertificate) -> Request:
    der = certificate.certificate
    return replace(
        request,
        request_id=RequestId(secrets.token_bytes(16)),
        content=replace(request.content, key_id=certificate.key_id),
        status=RequestStatus.NEW,
        files=tuple(
            replace(file, to_be_signed=signed_attributes(file.file_hash, der))
            for file in request.files
        ),
        replaces=request.request_id,
    )
