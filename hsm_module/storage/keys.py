"""Rows of keys: read under a lock, checked, changed, sealed again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage import sealing
from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.rows import EpochState, Judging, KeyRow
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.tables import keys
from hsm_module.token.port import Token
from signer_core.errors import DeniedError, NotFoundError, VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.ports import KeyStatus
from signer_core.storage.engine import for_update


class KeyRows:
    """The keys of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self._connection = connection
        self._token = token

    async def get(self, key_id: KeyId) -> tuple[KeyRow, int]:
        """Return a key's row, locked until a transaction that writes ends, and the Unix time.

        The time is the database's, read once the row is locked: waiting for it may take seconds.

        Raises:
            NotFoundError: no such key.
            AlteredRowError: the row is not as the vault wrote it.
        """
        clock = unix_time_s(self._connection.dialect.name).label("now_s")
        locked = for_update(self._connection, select(keys).where(keys.c.key_id == key_id))
        query = select(locked.subquery(), clock)
        try:
            row = (await self._connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NotFoundError("the vault has no such key")
            return _from_columns(await sealing.verify(self._token, keys, row)), row["now_s"]
        except (VerificationError, TypeError, ValueError):  # a column of another type, too
            raise AlteredRowError("keys", key_id) from None

    async def insert(self, row: KeyRow) -> None:
        """Store a new key.

        Raises:
            DeniedError: there is one of this id.
        """
        try:
            await self._connection.execute(insert(keys).values(await self._sealed(row)))
        except IntegrityError:
            raise DeniedError("this key was enrolled before") from None

    async def save(self, row: KeyRow) -> KeyRow:
        """Write a row that was read in this transaction; return it with its new version.

        Raises:
            AlteredRowError: the row in the database is not the one that was read.
        """
        new = replace(row, row_version=row.row_version + 1)
        statement = (
            update(keys)
            .where(keys.c.key_id == row.key_id, keys.c.row_version == row.row_version)
            .values(await self._sealed(new))
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            raise AlteredRowError("keys", row.key_id)
        return new

    async def _sealed(self, row: KeyRow) -> dict[str, Any]:
        values = _to_columns(row)
        return {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, keys, values)}


def _to_columns(row: KeyRow) -> dict[str, Any]:
    judging = row.judging
    return {
        "key_id": row.key_id,
        "device_key_hash": row.device_key_hash,
        "authorisation_hash": row.authorisation_hash,
        "public_key": row.public_key,
        "certificate_sha256": row.certificate_sha256,
        "status": row.status.value,
        "failed": row.failed,
        "lifetime_failed": row.lifetime_failed,
        "hold_until_s": row.hold_until_s,
        "unresolved": row.unresolved,
        "live_sid": row.live_sid,
        "judging_sid": judging and judging.sid,
        "judging_process": judging and judging.process,
        "judging_request_id": judging and judging.request_id,
        "judging_deadline_s": judging and judging.deadline_s,
        "generation": row.generation,
        "share_sha256": row.share_sha256,
        "epoch": row.epoch.number,
        "epoch_key": row.epoch.key,
        "previous_epoch_key": row.epoch.previous_key,
        "epoch_shown": int(row.epoch.shown),
        "last_sid": row.epoch.last_sid,
        "kek_id": row.kek_id,
        "signatures": row.signatures,
        "row_version": row.row_version,
    }


def _from_columns(row: Mapping[str, Any]) -> KeyRow:
    return KeyRow(
        key_id=KeyId(row["key_id"]),
        device_key_hash=DeviceKeyHash(row["device_key_hash"]),
        authorisation_hash=row["authorisation_hash"],
        public_key=row["public_key"],
        share_sha256=row["share_sha256"],
        kek_id=row["kek_id"],
        epoch=EpochState(
            number=row["epoch"],
            key=row["epoch_key"],
            previous_key=row["previous_epoch_key"],
            shown=bool(row["epoch_shown"]),
            last_sid=row["last_sid"],
        ),
        certificate_sha256=row["certificate_sha256"],
        status=KeyStatus(row["status"]),
        failed=row["failed"],
        lifetime_failed=row["lifetime_failed"],
        hold_until_s=row["hold_until_s"],
        unresolved=row["unresolved"],
        live_sid=row["live_sid"],
        judging=_judging(row),
        generation=row["generation"],
        signatures=row["signatures"],
        row_version=row["row_version"],
    )


def _judging(row: Mapping[str, Any]) -> Judging | None:
    if row["judging_sid"] is None:
        return None
    return Judging(
        sid=row["judging_sid"],
        process=row["judging_process"],
        request_id=RequestId(row["judging_request_id"]),
        deadline_s=row["judging_deadline_s"],
    )
