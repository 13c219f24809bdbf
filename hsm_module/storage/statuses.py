"""Rows of certificates' statuses: read under a lock, checked, changed, sealed again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import RowMapping, Select, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind, certificate_note, read_certificate_note
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.storage.tables import keys
from hsm_module.storage.trust_tables import certificate_statuses as table
from hsm_module.storage.trust_tables import crl_heads
from hsm_module.token.port import KeyLabel, Token
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.pki.status import CertificateStatus, Reason, Status
from signer_core.storage.engine import for_update, take_turn

_NAME: Final = "certificate_statuses"
_ISSUERS: Final = (KeyLabel("issuing-ca"), KeyLabel("device-ca"), KeyLabel("infrastructure-ca"))
_HASHED: Final = 3  # in the place of an issuer's number


@dataclass(frozen=True, slots=True)
class CertificateName:
    """Which certificate: serial numbers are unique under one issuer only."""

    issuer: KeyLabel  # of the authority's key
    serial: bytes  # 1 to 20 bytes, big-endian, without leading zeros

    @classmethod
    def of(cls, issuer: KeyLabel, serial: int) -> "CertificateName":
        """Name a certificate by its serial number.

        Raises:
            NotFoundError: no certificate of ours has such a number.
        """
        if not 0 < serial < 1 << 160:
            raise NotFoundError("serial numbers have 1 to 20 octets")
        return cls(issuer, serial.to_bytes((serial.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One certificate. `row_version` is what was read; a write adds one."""

    name: CertificateName
    kind: str  # citizen, device, process, responder, timestamping, seal
    not_after_s: int  # Unix time
    key_id: KeyId | None = None
    status: Status = Status.GOOD
    reason: Reason = Reason.NONE
    changed_at_s: int = 0  # Unix time
    row_version: int = 0
    mac: bytes = b""  # of the row that was read

    @property
    def said(self) -> CertificateStatus:
        """What CRLs and OCSP answers say of it."""
        return CertificateStatus(self.status, self.reason, self.changed_at_s)


class StatusRows:
    """The statuses of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        self._connection, self._token, self._marks = connection, token, marks

    async def insert(self, row: StatusRow, *, restored: bool = False) -> None:
        """Record a certificate that is being issued, or that a backup lacks.

        Raises:
            InvalidRequestError: there is one of this issuer and serial number.
            RolledBackRowError: there was one.
        """
        values = await self._sealed(row)
        try:
            await self._connection.execute(insert(table).values(values))
        except IntegrityError:
            raise InvalidRequestError("this serial number is taken") from None
        if not restored:
            self._verify_never_there(row.name)

    async def find_unmarked(self, name: CertificateName) -> StatusRow | None:
        """Return a row, whatever its high-water mark: to restore a backup.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
        """
        found = await self._find(name)
        return None if found is None else await self._authentic(found)

    async def get(self, name: CertificateName) -> StatusRow:
        """Return a certificate's row, locked until a transaction that writes ends.

        Raises:
            NotFoundError: we never issued it.
            AlteredRowError: the row is not as the vault wrote it, or an old one, or gone.
        """
        found = await self._find(name)
        if found is None:
            self._verify_never_there(name)
            raise NotFoundError("the vault has issued no such certificate")
        return await self.verify(found)

    async def of_key(self, key_id: KeyId) -> Sequence[StatusRow]:
        """Return the rows of the certificates that belong to a person's key; raises as `get`."""
        query = select(table).where(table.c.key_id == key_id).order_by(table.c.serial)
        return [await self.verify(one) for one in await self._read(query)]

    async def is_still(self, name: CertificateName, row_version: int, mac: bytes) -> bool:
        """Say whether a row is the very one that was checked before, and has no newer mark."""
        query = select(table.c.mac).where(
            table.c.issuer == name.issuer, table.c.serial == name.serial
        )
        if (await self._connection.execute(query)).scalar_one_or_none() != mac:
            return False
        mark = self._marks.find(MarkKind.CERTIFICATE, mark_id(name))
        return mark is None or mark.version <= row_version

    async def keys_without(self, after: bytes, limit: int) -> Sequence[bytes]:
        """Return the ids, above `after`, of certified keys whose certificate has no row."""
        recorded = exists().where(table.c.key_id == keys.c.key_id, table.c.kind == "citizen")
        query = (
            select(keys.c.key_id)
            .where(keys.c.key_id > after, keys.c.certificate_sha256.is_not(None), ~recorded)
            .order_by(keys.c.key_id)
            .limit(limit)
        )
        return (await self._connection.execute(query)).scalars().all()

    async def save(self, row: StatusRow, above: int = 0) -> None:
        """Write a row that was read in this transaction, and count the change for the next CRL.

        The head of the CRL stays locked until the transaction ends: lock every key before.

        Raises:
            AlteredRowError: the row in the database is not the one that was read.
        """
        new = replace(row, row_version=max(row.row_version, above) + 1)
        same = (
            table.c.issuer == row.name.issuer,
            table.c.serial == row.name.serial,
            table.c.row_version == row.row_version,
        )
        query = update(table).where(*same).values(await self._sealed(new))
        if (await self._connection.execute(query)).rowcount != 1:
            raise AlteredRowError(_NAME, row.key_id)
        self._marks.note(mark_of(new))
        await self._count_change(row.name.issuer)

    async def verify(self, found: RowMapping) -> StatusRow:
        """Check a row that was read.

        Raises:
            AlteredRowError: it is not as the vault wrote it, or an old one.
        """
        row = await self._authentic(found)
        if row.row_version and self._marks.is_rolled_back(mark_of(row)):
            raise RolledBackRowError(_NAME, row.key_id)
        if not row.row_version:
            self._verify_never_there(row.name, row.key_id)  # one that never changed has no mark
        return row

    async def _authentic(self, found: RowMapping) -> StatusRow:
        try:
            return from_columns(await sealing.verify(self._token, table, found))
        except (VerificationError, TypeError, ValueError):
            raise AlteredRowError(_NAME, found["key_id"]) from None

    async def _find(self, name: CertificateName) -> RowMapping | None:
        where = (table.c.issuer == name.issuer, table.c.serial == name.serial)
        found: RowMapping | None = (await self._read(select(table).where(*where))).one_or_none()
        return found

    async def _read(self, query: Select[Any]) -> Any:
        return (await self._connection.execute(for_update(self._connection, query))).mappings()

    async def _count_change(self, issuer: KeyLabel) -> None:
        more = {"changes": crl_heads.c.changes + 1}
        query = update(crl_heads).where(crl_heads.c.issuer == issuer).values(more)
        if (await self._connection.execute(query)).rowcount:
            return
        await take_turn(self._connection, f"crl-head {issuer}")  # two may make the first row
        if (await self._connection.execute(query)).rowcount == 0:
            first = {"issuer": issuer, "changes": 1, "seen_changes": 0, "number": 0, "made_at_s": 0}
            await self._connection.execute(insert(crl_heads).values(first))

    def _verify_never_there(self, name: CertificateName, key_id: KeyId | None = None) -> None:
        if self._marks.find(MarkKind.CERTIFICATE, mark_id(name)) is not None:
            raise RolledBackRowError(_NAME, key_id)

    async def _sealed(self, row: StatusRow) -> dict[str, Any]:
        values = to_columns(row)
        return {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}


def to_columns(row: StatusRow) -> dict[str, Any]:
    """Return every column but the MAC."""
    return {
        "issuer": row.name.issuer,
        "serial": row.name.serial,
        "key_id": row.key_id,
        "kind": row.kind,
        "not_after_s": row.not_after_s,
        "status": row.status.value,
        "reason": row.reason.value,
        "changed_at_s": row.changed_at_s,
        "row_version": row.row_version,
    }


def from_columns(row: dict[str, Any]) -> StatusRow:
    """Return the row; whoever calls has checked its MAC."""
    return StatusRow(
        name=CertificateName(KeyLabel(row["issuer"]), row["serial"]),
        kind=row["kind"],
        not_after_s=row["not_after_s"],
        key_id=None if row["key_id"] is None else KeyId(row["key_id"]),
        status=Status(row["status"]),
        reason=Reason(row["reason"]),
        changed_at_s=row["changed_at_s"],
        row_version=row["row_version"],
        mac=row[sealing.MAC_COLUMN],
    )


def mark_of(row: StatusRow) -> Mark:
    """Return the mark of a certificate whose status has changed."""
    note = certificate_note(
        suspended=row.status is Status.SUSPENDED,
        issuer=_ISSUERS.index(row.name.issuer) if len(row.name.serial) <= 16 else _HASHED,
        not_after_s=row.not_after_s,
    )
    return Mark(MarkKind.CERTIFICATE, mark_id(row.name), row.row_version, note)


def mark_id(name: CertificateName) -> bytes:
    """Return what stands for a certificate among the high-water marks (16 bytes).

    It is the serial number, so that a mark alone can name what is revoked. A longer number, of a
    certificate that the vault did not issue, is hashed.
    """
    if len(name.serial) <= 16:
        return name.serial.rjust(16, b"\0")
    text = b"diia-signer/vault/certificate/v1" + name.issuer.encode() + b"/" + name.serial
    return hashlib.sha256(text).digest()[:16]


def row_of(mark: Mark) -> StatusRow | None:
    """Return what a mark alone says of a certificate: for one whose row is gone, or old."""
    suspended, issuer, not_after_s = read_certificate_note(mark.note)
    if issuer == _HASHED:
        return None
    return StatusRow(
        name=CertificateName(_ISSUERS[issuer], mark.id.lstrip(b"\0")),
        kind="",
        not_after_s=not_after_s,
        status=Status.SUSPENDED if suspended else Status.REVOKED,
        reason=Reason.HOLD if suspended else Reason.UNSPECIFIED,
        row_version=mark.version,
    )
