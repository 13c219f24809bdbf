"""A key's row as columns and back."""

from collections.abc import Mapping
from typing import Any

from hsm_module.storage.rows import EpochState, Generation, Judging, KeyRow
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.ports import KeyStatus


def to_columns(row: KeyRow) -> dict[str, Any]:
    """Return every column but the MAC."""
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
        "generation": row.current.number,
        **_generation_columns("", row.current),
        **_generation_columns("next_", row.next),
        "person_mac": row.person_mac,
        "suspend_code_hash": row.suspend_code_hash,
        "signatures": row.signatures,
        "ended_by": row.ended_by,
        "refresh_from": row.refresh_from,
        "row_version": row.row_version,
    }


def from_columns(row: Mapping[str, Any]) -> KeyRow:
    """Return the row; whoever calls has checked its MAC."""
    return KeyRow(
        key_id=KeyId(row["key_id"]),
        device_key_hash=DeviceKeyHash(row["device_key_hash"]),
        authorisation_hash=row["authorisation_hash"],
        public_key=row["public_key"],
        current=_generation("", row, row["generation"]),
        next=_next(row),
        person_mac=row["person_mac"],
        suspend_code_hash=row["suspend_code_hash"],
        certificate_sha256=row["certificate_sha256"],
        status=KeyStatus(row["status"]),
        failed=row["failed"],
        lifetime_failed=row["lifetime_failed"],
        hold_until_s=row["hold_until_s"],
        unresolved=row["unresolved"],
        live_sid=row["live_sid"],
        judging=_judging(row),
        signatures=row["signatures"],
        ended_by=row["ended_by"],
        refresh_from=row["refresh_from"],
        row_version=row["row_version"],
    )


def _generation_columns(prefix: str, generation: Generation | None) -> dict[str, Any]:
    epoch = generation and generation.epoch
    return {
        f"{prefix}share_sha256": generation and generation.share_sha256,
        f"{prefix}epoch": epoch and epoch.number,
        f"{prefix}epoch_key": epoch and epoch.key,
        f"{prefix}previous_epoch_key": epoch and epoch.previous_key,
        f"{prefix}epoch_shown": epoch and int(epoch.shown),
        f"{prefix}last_sid": epoch and epoch.last_sid,
        f"{prefix}kek_id": generation and generation.kek_id,
    }


def _generation(prefix: str, row: Mapping[str, Any], number: int) -> Generation:
    epoch = EpochState(
        number=row[f"{prefix}epoch"],
        key=row[f"{prefix}epoch_key"],
        previous_key=row[f"{prefix}previous_epoch_key"],
        shown=bool(row[f"{prefix}epoch_shown"]),
        last_sid=row[f"{prefix}last_sid"],
    )
    return Generation(number, row[f"{prefix}share_sha256"], row[f"{prefix}kek_id"], epoch)


def _next(row: Mapping[str, Any]) -> Generation | None:
    if row["next_share_sha256"] is None:
        return None
    return _generation("next_", row, row["generation"] + 1)


def _judging(row: Mapping[str, Any]) -> Judging | None:
    if row["judging_sid"] is None:
        return None
    request_id = row["judging_request_id"]
    return Judging(
        sid=row["judging_sid"],
        process=row["judging_process"],
        request_id=None if request_id is None else RequestId(request_id),
        deadline_s=row["judging_deadline_s"],
    )
