"""The seal service: PDFs, bytes and JSON, several in one call, all of them or none."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from typing import Final

from signer_core import documents
from signer_core.documents import PreparedPdf
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.seals.canonical import canonical_json
from signer_core.seals.levels import Levels
from signer_core.seals.model import (
    MAX_CONTENTS,
    DetachedSeal,
    FileToSeal,
    Kind,
    Level,
    Reached,
    SealedPdf,
    SealUser,
    check_count,
)
from signer_core.seals.ports import SealCertificate, VaultSeals
from signer_core.seals.repair import Repairs
from signer_core.signing.rules import MAX_FILES

_FRESH_S: Final = 30.0  # how long a seal's certificate is not asked for again


@dataclass(frozen=True, slots=True)
class _Signed:
    """What the vault signed, in order."""

    chain: tuple[bytes, ...]
    attributes: tuple[bytes, ...]
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals. Documents are in memory only, but for those that wait for a repair."""

    vault: VaultSeals
    levels: Levels
    repairs: Repairs
    clock: Callable[[], datetime]  # UTC
    zone: tzinfo  # of the time on stamps and in PDFs
    _known: dict[SealUser, tuple[float, SealCertificate]] = field(default_factory=dict)

    async def seal_pdfs(
        self, user: SealUser, asked: Level, files: Sequence[FileToSeal]
    ) -> list[SealedPdf]:
        """Seal 1 to 64 PDFs.

        Raises:
            InvalidRequestError: a PDF cannot be sealed; the message says which and why.
            DeniedError: the caller may not use this seal.
            UnavailableError: the vault is away.
        """
        check_count(files, MAX_FILES)
        certificate = await self._certificate(user)
        prepared = [
            await self._prepare(number, file, certificate.chain[0], asked)
            for number, file in enumerate(files, 1)
        ]
        signed = await self._sign(
            user, partial(_pdf_attributes, [one.file_hash for one in prepared])
        )
        sealed = []
        for one, attributes, signature in zip(
            prepared, signed.attributes, signed.signatures, strict=True
        ):
            finish = partial(
                documents.finish_pdf,
                signed_attributes=attributes,
                signature=signature,
                certificate_chain=signed.chain,
            )
            sealed.append(await self.levels.run(finish, one))
        raised = await self._raise(user, "pdf", sealed, asked)
        return [SealedPdf(pdf, level) for pdf, level in raised]

    async def seal_digests(
        self, user: SealUser, asked: Level, digests: Sequence[bytes]
    ) -> list[DetachedSeal]:
        """Make detached CAdES seals of contents that have these SHA-256 (32 bytes each).

        Raises:
            InvalidRequestError: a digest has another size, or the level is above B-T.
            DeniedError, UnavailableError: as `seal_pdfs`.
        """
        check_count(digests, MAX_CONTENTS)
        if asked > Level.B_T:
            raise InvalidRequestError("detached seals are of level B-B or B-T")
        signed = await self._sign(user, partial(_detached_attributes, digests, self.clock()))
        parts = zip(signed.attributes, signed.signatures, strict=True)
        sealed = [documents.finish_detached(a, s, signed.chain) for a, s in parts]
        raised = await self._raise(user, "cades", sealed, asked)
        return [
            DetachedSeal(cms, level, digest)
            for (cms, level), digest in zip(raised, digests, strict=True)
        ]

    async def seal_json(
        self, user: SealUser, asked: Level, texts: Sequence[bytes]
    ) -> list[DetachedSeal]:
        """Make detached CAdES seals of JSON texts in their canonical form; raises as above."""
        check_count(texts, MAX_CONTENTS)
        digests = [hashlib.sha256(canonical_json(text)).digest() for text in texts]
        return await self.seal_digests(user, asked, digests)

    async def _prepare(
        self, number: int, file: FileToSeal, certificate: bytes, asked: Level
    ) -> PreparedPdf:
        room = documents.ROOM_BYTES
        if asked >= Level.B_T:
            room = documents.ROOM_FOR_TIMESTAMP_BYTES
        prepare = partial(
            documents.prepare_seal,
            seal_certificate=certificate,
            sealed_at=self.clock().astimezone(self.zone),
            room_bytes=room,
            mark=file.stamp,
        )
        try:
            return await self.levels.run(prepare, file.pdf)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"file {number}: {error}") from None

    async def _sign(
        self, user: SealUser, attributes_for: Callable[[bytes], tuple[bytes, ...]]
    ) -> _Signed:
        """Let the vault sign; once more where it has renewed the seal's certificate meanwhile."""
        certificate = await self._certificate(user)
        try:
            return await self._sign_under(user, certificate, attributes_for)
        except VerificationError:
            self._known.pop(user, None)
            newer = await self._certificate(user)
            if newer == certificate:
                raise
            return await self._sign_under(user, newer, attributes_for)

    async def _sign_under(
        self,
        user: SealUser,
        certificate: SealCertificate,
        attributes_for: Callable[[bytes], tuple[bytes, ...]],
    ) -> _Signed:
        attributes = attributes_for(certificate.chain[0])
        signatures = await self.vault.sign(user.seal_id, user.callers, attributes)
        if len(signatures) != len(attributes):
            raise VerificationError("the vault did not sign what it was asked to")
        return _Signed(certificate.chain, attributes, signatures)

    async def _certificate(self, user: SealUser) -> SealCertificate:
        known = self._known.get(user)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        certificate = await self.vault.get(user.seal_id, user.callers)
        self._known[user] = (time.monotonic(), certificate)
        return certificate

    async def _raise(
        self, user: SealUser, kind: Kind, sealed: Sequence[bytes], asked: Level
    ) -> list[tuple[bytes, Reached]]:
        raised = [
            await self.levels.raise_as_far_as_possible(kind, one, Level.B_B, asked)
            for one in sealed
        ]
        return await self.repairs.keep_what_is_lower(user, kind, raised, asked)


def _pdf_attributes(hashes: Sequence[bytes], certificate: bytes) -> tuple[bytes, ...]:
    return tuple(documents.signed_attributes(one, certificate) for one in hashes)


def _detached_attributes(
    digests: Sequence[bytes], now: datetime, certificate: bytes
) -> tuple[bytes, ...]:
    return tuple(documents.detached_attributes(one, certificate, now) for one in digests)
