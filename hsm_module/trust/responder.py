"""OCSP: what a status is now, signed ahead for requests without a nonce (RFC 6960, RFC 5019)."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from hsm_module.authorities import ISSUING
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.statuses import CertificateName, StatusRow
from hsm_module.token.port import KeyLabel
from hsm_module.trust.context import TrustContext
from hsm_module.trust.own_certificates import OwnProfile
from hsm_module.trust.signing import sign
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.pki.ocsp import (
    OcspError,
    Single,
    Validity,
    assemble_answer,
    encode_response_data,
    error_answer,
)
from signer_core.pki.ocsp_request import (
    CertificateId,
    IssuerHashes,
    OcspRequest,
    issuer_hashes,
    parse_ocsp_request,
)
from signer_core.pki.trust import issue_responder

LIFETIME: Final = timedelta(hours=1)  # of an answer
KEPT_FOR: Final = timedelta(minutes=15)  # an answer is made ahead, and made anew after that
KEPT: Final = 20_000  # answers, 1.5 KB each

RESPONDER: Final = OwnProfile(
    KeyLabel("ocsp-responder"), "responder", timedelta(days=10), issue_responder
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer that was made ahead: good as long as this is the row."""

    row: StatusRow
    made_at: datetime
    answer: bytes


class Responder:
    """Answers about certificates of the vault's authorities. Mutable: it keeps answers.

    Of people's certificates answers are signed by a delegated responder; of phones' and processes',
    which are asked for rarely, by the authority itself.
    """

    def __init__(self, trust: TrustContext) -> None:
        self._trust = trust
        self._issuers = trust.authorities.issuers
        self._labels: dict[IssuerHashes, KeyLabel] = {
            hashes: label for label, one in self._issuers.items() for hashes in issuer_hashes(one)
        }
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    async def answer(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        """Answer requests (DER), whoever sent them; what is wrong with one is an answer, too.

        Raises:
            UnavailableError: token or database do not answer.
        """
        kept = await self._find_kept(requests)
        return [kept.get(data) or await self._make(data) for data in requests]

    async def _make(self, data: bytes) -> bytes:
        try:
            request = parse_ocsp_request(data)
        except InvalidRequestError:
            return error_answer(OcspError.MALFORMED)
        labels = {self._labels.get(one.issuer) for one in request.certificates}
        label = labels.pop()
        if label is None or labels:
            return error_answer(OcspError.UNAUTHORIZED)
        try:
            return await self._answer(data, label, request)
        except AlteredRowError:  # audited; nothing is said of it, neither good nor bad
            return error_answer(OcspError.INTERNAL)

    async def _find_kept(self, requests: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return answers made ahead whose rows are still those that they were made of."""
        now = self._trust.now()
        kept = {data: self._kept[data] for data in requests if data in self._kept}
        fresh = {
            data: one for data, one in kept.items() if timedelta(0) <= now - one.made_at < KEPT_FOR
        }
        if not fresh:
            return {}
        async with self._trust.store.reading() as transaction:
            return {
                data: one.answer
                for data, one in fresh.items()
                if await transaction.statuses.is_still(
                    one.row.name, one.row.row_version, one.row.mac
                )
            }

    async def _answer(self, data: bytes, label: KeyLabel, request: OcspRequest) -> bytes:
        now = self._trust.now().replace(microsecond=0)
        rows = await self._rows(label, request.certificates)
        key, signer, included = await self._signer(label)
        singles = [
            Single(one.der, None if row is None else row.said)
            for one, row in zip(request.certificates, rows, strict=True)
        ]
        tbs = encode_response_data(signer, singles, Validity(now, now + LIFETIME), request.nonce)
        answer = assemble_answer(tbs, await sign(self._trust.token, key, signer, tbs), included)
        if request.nonce is None and len(rows) == 1 and rows[0] is not None:
            self._keep(data, _Kept(rows[0], now, answer))
        return answer

    async def _rows(
        self, label: KeyLabel, asked: Sequence[CertificateId]
    ) -> list[StatusRow | None]:
        """Return the rows, all of one moment; None for what we never issued."""
        rows: list[StatusRow | None] = []
        async with self._trust.store.reading() as transaction:
            for one in asked:
                try:
                    name = CertificateName.of(label, one.serial)
                    rows.append(await transaction.statuses.get(name))
                except NotFoundError:
                    rows.append(None)
        return rows

    async def _signer(
        self, label: KeyLabel
    ) -> tuple[KeyLabel, x509.Certificate, tuple[x509.Certificate, ...]]:
        """Return key and certificate that sign for an issuer, and what a verifier lacks."""
        if label != ISSUING:
            return label, self._issuers[label], ()
        certificate = await self._trust.own.get(RESPONDER)
        return RESPONDER.label, certificate, (certificate,)

    def _keep(self, data: bytes, kept: _Kept) -> None:
        self._kept[data] = kept
        self._kept.move_to_end(data)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
