"""Making a request: from a caller's wish to something a phone may sign."""

import asyncio
import functools
import secrets
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.identifiers import RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.signing import pdf, rules
from signer_core.signing.model import (
    DOCUMENT_SIGNING,
    Clock,
    PreparedFile,
    Request,
    RequestContent,
    RequestStatus,
)
from signer_core.signing.new_request import NewRequest
from signer_core.signing.opening import Opening
from signer_core.signing.relying_parties import RelyingParties, record_for
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class Creation:
    """Makes requests."""

    requests: Requests
    certificates: Certificates
    relying_parties: RelyingParties
    opening: Opening
    executor: Executor  # for the CPU work of PDFs
    clock: Clock

    async def create(self, new: NewRequest) -> RequestId:
        """Make a request and open it for the person's phone.

        1. What is asked is well-formed; the relying party may ask for it, and the return address
           is one of its own.
        2. The same wish under the same idempotency key gives the same request.
        3. The person has a key with a certificate.
        4. The files are prepared, hashed and stored, still invisible.
        5. The vault knows the request; from now on it is open.

        Raises:
            InvalidRequestError: 1, 2 with another content, or a PDF that cannot be signed.
            NotFoundError: no such relying party, or no phone of this person that can sign.
            DeniedError: the relying party is suspended, or may not ask for this.
            KeyBlockedError, KeySuspendedError, RetireShareError: the key cannot sign any more.
            UnavailableError: the vault is away; repeat with the same idempotency key.
        """
        new.check()  # 1
        relying_party = await record_for(  # 1
            self.relying_parties, new.relying_party_id, DOCUMENT_SIGNING, new.return_address
        )
        known = await self._find(new)  # 2
        if known is not None:
            return await self.opening.open(known)
        certificate = await self.certificates.of_person(new.person_code)  # 3
        certificate.check_valid_at(int(self.clock().timestamp()))
        request, files = await self._prepare(new, relying_party, certificate)  # 4
        if not await self.requests.add(request, new.origin(), files):
            return await self.opening.open(await self._stored_meanwhile(new))
        return await self.opening.open(request.request_id)  # 5

    async def _find(self, new: NewRequest) -> RequestId | None:
        origin = new.origin()
        found = await self.requests.find_by_origin(origin.caller, origin.idempotency_key)
        if found is None:
            return None
        request_id, fingerprint = found
        if fingerprint != origin.fingerprint:
            raise InvalidRequestError("this idempotency key was used for another request")
        return request_id

    async def _stored_meanwhile(self, new: NewRequest) -> RequestId:
        known = await self._find(new)
        if known is None:
            raise UnavailableError("the request could not be stored: try again")
        return known

    async def _prepare(
        self, new: NewRequest, relying_party: str, certificate: PersonCertificate
    ) -> tuple[Request, list[PreparedFile]]:
        now = self.clock().replace(microsecond=0)
        files = await self._prepare_files(new, certificate, now)
        content = RequestContent(
            key_id=certificate.key_id,
            kind=DOCUMENT_SIGNING,
            relying_party=relying_party,
            purpose=new.purpose,
            return_address=new.return_address,
        )
        request = Request(
            request_id=RequestId(secrets.token_bytes(16)),
            content=content,
            request_hash=b"",
            status=RequestStatus.NEW,
            created_at_s=int(now.timestamp()),
            expires_at_s=int(now.timestamp()) + rules.check_ttl(new.ttl_s),
        )
        return request.with_files(file.entry for file in files), files

    async def _prepare_files(
        self, new: NewRequest, certificate: PersonCertificate, now: datetime
    ) -> list[PreparedFile]:
        loop = asyncio.get_running_loop()
        prepared = []
        for number, file in enumerate(new.files, 1):
            try:
                work = functools.partial(pdf.prepare, file, certificate, now)
                prepared.append(await loop.run_in_executor(self.executor, work))
            except InvalidRequestError as error:  # by number: names of documents are in no log
                raise InvalidRequestError(f"file {number}: {error}") from None
        return prepared
