"""Raising a seal from level to level, as far as what it takes is there."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from signer_core import documents
from signer_core.errors import InvalidRequestError, UnavailableError, VerificationError
from signer_core.seals.model import Kind, Level
from signer_core.seals.ports import Timestamper
from signer_core.seals.revocation_source import RevocationSource

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Levels:
    """One step at a time: each leaves a document that is complete at its level."""

    timestamper: Timestamper
    revocation: RevocationSource
    issuers: tuple[bytes, ...]  # DER: the authorities that certify TSAs
    executor: Executor
    clock: Callable[[], datetime]  # UTC

    async def raise_as_far_as_possible(
        self, kind: Kind, document: bytes, reached: Level, asked: Level
    ) -> tuple[bytes, Level]:
        """Return the document and its level: the one asked, or lower where something is away."""
        while reached < asked:
            try:
                document = await self._step(kind, document, Level(reached + 1))
            except (UnavailableError, VerificationError) as error:
                # One that answers what nobody should believe is as good as away.
                _log.warning("seal level not reached", level=str(asked), code=error.code)
                break
            reached = Level(reached + 1)
        return document, reached

    async def _step(self, kind: Kind, document: bytes, level: Level) -> bytes:
        match kind, level:
            case "pdf", Level.B_T:
                prepared, parts = await self.run(documents.reopen_pdf, document)
                token = await self._timestamp(hashlib.sha256(parts.signature).digest())
                finish = partial(documents.finish_pdf, signed_attributes=parts.attributes)
                return await self.run(_finish, finish, prepared, parts, token)
            case "pdf", Level.B_LT:
                return await self._with_evidence(document)
            case "pdf", _:
                prepared = await self.run(documents.prepare_document_timestamp, document)
                token = await self._timestamp(prepared.file_hash)
                return await self.run(documents.finish_document_timestamp, prepared, token)
            case _, Level.B_T:
                parts = documents.reopen_cms(document)
                token = await self._timestamp(hashlib.sha256(parts.signature).digest())
                return _finish(documents.finish_detached, parts.attributes, parts, token)
            case _:
                raise InvalidRequestError("detached seals are of level B-B or B-T")

    async def _with_evidence(self, document: bytes) -> bytes:
        chains = await self.run(documents.chains_of, document)
        found = [await self.revocation.evidence(chain) for chain in chains]
        return await self.run(documents.add_evidence, document, documents.Evidence.join(found))

    async def _timestamp(self, digest: bytes) -> bytes:
        token = await self.timestamper.timestamp(digest)
        documents.verify_timestamp(token, digest, issuers=self.issuers, now=self.clock())
        return token

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do work on a PDF beside the event loop: 20 MiB take their time."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, work, *arguments)


def _finish(
    finish: Callable[..., bytes], first: Any, parts: documents.CmsParts, token: bytes
) -> bytes:
    return finish(
        first,
        signature=parts.signature,
        certificate_chain=parts.certificate_chain,
        timestamp=token,
    )
