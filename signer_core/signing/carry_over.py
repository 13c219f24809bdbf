"""Waiting requests of a person's old key, made anew under the new one (docs/flows/new-phone.md).

Or of the same key, under its renewed certificate (docs/flows/renewal.md).
"""

import asyncio
import functools
import secrets
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import structlog

from signer_core.documents import signed_attributes
from signer_core.errors import InvalidRequestError, SignerError, UnavailableError
from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.protocol.request_kind import DETACHED
from signer_core.signing import detached, pdf
from signer_core.signing.model import Clock, FileEntry, PreparedFile, Request, RequestStatus
from signer_core.signing.opening import Opening
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.requests import Requests

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CarryOver:
    """Gives each waiting request a successor: the same originals, prepared for the new key now."""

    requests: Requests
    files: Files
    certificates: Certificates
    opening: Opening
    executor: Executor  # for the CPU work of PDFs
    clock: Clock

    async def run(self, old: KeyId, new: KeyId) -> None:
        """Carry over whatever still waits; repeating it after a crash is harmless.

        Raises:
            UnavailableError: the vault is away; repeat it.
        """
        certificate = await self.certificates.of_key(new)
        for request_id in await self.requests.waiting(old, int(self.clock().timestamp())):
            request = await self.requests.get(request_id)
            if _names(request, certificate):
                continue  # of the renewed certificate already
            try:
                await self._carry(request, certificate)
            except UnavailableError:
                raise
            except SignerError as error:  # or being signed by the old key: then it stays there
                log.warning("carry-over.failed", request_id=request_id.hex(), code=error.code)

    async def _carry(self, request: Request, certificate: PersonCertificate) -> None:
        try:
            files = await self._prepare(request, certificate)
        except InvalidRequestError:  # the old key is gone, and the new one cannot sign it
            await self.opening.closing.replace(request)
            raise
        made = _successor(request, certificate.key_id, files)
        # The first one again after a crash: at most one request takes another's place.
        await self.opening.open(await self.requests.add_successor(made, request.request_id, files))

    async def _prepare(
        self, request: Request, certificate: PersonCertificate
    ) -> list[PreparedFile]:
        now = self.clock().replace(microsecond=0)
        loop = asyncio.get_running_loop()
        if request.content.kind in DETACHED:
            return [detached.prepare(entry, certificate, now) for entry in request.files]
        files = []
        for position, entry in enumerate(request.files):
            prepared = await self.files.prepared(request.request_id, position)
            work = functools.partial(pdf.prepare_anew, prepared, entry, certificate, now)
            files.append(await loop.run_in_executor(self.executor, work))
        return files


def _names(request: Request, certificate: PersonCertificate) -> bool:
    return all(_is_under(request, file, certificate.certificate) for file in request.files)


def _is_under(request: Request, file: FileEntry, der: bytes) -> bool:
    if request.content.kind in DETACHED:
        return detached.is_under(file, der)
    return file.to_be_signed == signed_attributes(file.file_hash, der)


def _successor(request: Request, key_id: KeyId, files: list[PreparedFile]) -> Request:
    return replace(
        request,
        request_id=RequestId(secrets.token_bytes(16)),
        content=replace(request.content, key_id=key_id),
        status=RequestStatus.NEW,
        replaces=request.request_id,
    ).with_files(file.entry for file in files)
