"""Who is on a CRL: rows under their MAC, and whatever only a high-water mark still knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any, Final

import structlog

from hsm_module.marks.record import Mark, MarkKind
from hsm_module.storage import sealing
from hsm_module.storage.crls import CrlHead
from hsm_module.storage.statuses import StatusRow, mark_id, row_of
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.storage.trust_tables import certificate_statuses
from hsm_module.token.port import KeyLabel, Token
from signer_core.audit.events import Event
from signer_core.pki.crl import encode_entry
from signer_core.pki.status import CertificateStatus, Reason, Status

# An expired certificate stays on one more CRL (RFC 5280 §3.3), whatever the clocks.
KEEP_EXPIRED_S: Final = 2 * 24 * 3600

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that was checked: its MAC, and what it became."""

    mac: bytes
    row_version: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The entries of one issuer at one moment, by serial number."""

    head: CrlHead
    now_s: int  # Unix time, the database's
    entries: Sequence[bytes]


class CrlEntries:
    """Gathers the entries of one issuer. Mutable: it remembers the rows that it has checked.

    A row whose MAC is the one checked before is the same row, so that a CRL costs the token only
    what has changed since the last one.
    """

    def __init__(self, store: Store, token: Token, issuer: KeyLabel) -> None:
        self._store, self._token, self._issuer = store, token, issuer
        self._known: dict[bytes, _Known] = {}
        self._told: set[bytes] = set()  # marks whose rows were missed, and told of

    async def gather(self) -> Snapshot:
        """Read the rows and compare them with the marks that were there before.

        A row that is gone, altered or older than its mark is listed as its mark says.
        """
        marks = self._store.marks_of(MarkKind.CERTIFICATE)
        async with self._store.reading() as transaction:
            head = await transaction.crls.head(self._issuer)
            now_s = await transaction.now_s()
            known = await self._read(transaction, now_s)
        self._known = known
        entries = {serial: one.entry for serial, one in known.items()}
        missed = self._missed(marks, known, now_s)
        await self._tell(missed)
        for row in missed:
            entries[row.name.serial] = encode_entry(
                row.name.serial, replace(row, changed_at_s=now_s).said
            )
        return Snapshot(head, now_s, [entries[serial] for serial in sorted(entries)])

    async def _read(self, transaction: Transaction, now_s: int) -> dict[bytes, _Known]:
        known: dict[bytes, _Known] = {}
        after = b""
        while page := await transaction.crls.not_good(self._issuer, now_s - KEEP_EXPIRED_S, after):
            after = page[-1]["serial"]
            fresh = []
            for row in page:
                before = self._known.get(row["serial"])
                if before is not None and before.mac == row[sealing.MAC_COLUMN]:
                    known[row["serial"]] = before
                else:
                    fresh.append(row)
            known |= await self._verify(fresh)
        return known

    async def _verify(self, rows: Sequence[Mapping[str, Any]]) -> dict[bytes, _Known]:
        """Return those of the rows that are as the vault wrote them."""
        encoded = [(row, sealing.encode(certificate_statuses, row)) for row in rows]
        whole = [(row, data) for row, data in encoded if data is not None]
        macs = await self._token.macs([data for _, data in whole]) if whole else ()
        good: dict[bytes, _Known] = {}
        for (row, _), mac in zip(whole, macs, strict=True):
            if compare_digest(mac, row[sealing.MAC_COLUMN]):
                good[row["serial"]] = _know(row)
        return good

    def _missed(
        self, marks: Mapping[bytes, Mark], known: Mapping[bytes, _Known], now_s: int
    ) -> list[StatusRow]:
        """Return what marks say of certificates whose rows are below them, or not there."""
        seen = {serial.rjust(16, b"\0"): one.row_version for serial, one in known.items()}
        missed = []
        for mark in marks.values():
            row = row_of(mark)
            if row is None or row.name.issuer != self._issuer:
                continue
            if row.not_after_s > now_s - KEEP_EXPIRED_S and seen.get(mark.id, -1) < mark.version:
                missed.append(row)
        return missed

    async def _tell(self, missed: Sequence[StatusRow]) -> None:
        """Audit each once in the life of this process."""
        new = [row for row in missed if mark_id(row.name) not in self._told]
        if not new:
            return
        _log.error("certificate-statuses-missed", issuer=self._issuer, count=len(new))
        async with self._store.transaction() as transaction:
            for _ in new:
                event = Event("row-rolled-back", "refused", reason=certificate_statuses.name)
                await transaction.record(event)
        self._told.update(mark_id(row.name) for row in new)


def _know(row: Mapping[str, Any]) -> _Known:
    said = CertificateStatus(Status(row["status"]), Reason(row["reason"]), row["changed_at_s"])
    entry = encode_entry(row["serial"], said)
    return _Known(row[sealing.MAC_COLUMN], row["row_version"], entry)
