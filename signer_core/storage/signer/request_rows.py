"""A request and its files as rows of their tables."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from signer_core.identifiers import KeyId, OfferId, RequestId
from signer_core.signing.model import (
    FileEntry,
    Origin,
    PreparedFile,
    Request,
    RequestContent,
    RequestStatus,
)


def to_request(row: RowMapping | Mapping[str, Any], files: tuple[FileEntry, ...]) -> Request:
    """Return the request of a row."""
    return Request(
        request_id=RequestId(row["request_id"]),
        content=RequestContent(
            key_id=KeyId(row["key_id"]),
            kind=row["kind"],
            relying_party=row["relying_party"],
            purpose=row["purpose"],
            return_address=row["return_address"],
            challenge=row["challenge"],
            about=None if row["about_key"] is None else KeyId(row["about_key"]),
            statement=row["statement"],
            initiator=row["initiator"],
            offer_id=None if row["offer_id"] is None else OfferId(row["offer_id"]),
        ),
        request_hash=row["request_hash"],
        status=RequestStatus(row["status"]),
        created_at_s=row["created_at_s"],
        expires_at_s=row["expires_at_s"],
        files=files,
        decline_reason=row["decline_reason"],
        replaces=None if row["replaces"] is None else RequestId(row["replaces"]),
        ended_at_s=row["ended_at_s"],
    )


def request_row(request: Request, origin: Origin) -> dict[str, object]:
    """Return the row of a new request."""
    content = request.content
    return {
        "request_id": request.request_id,
        "key_id": content.key_id,
        "kind": content.kind,
        "relying_party": content.relying_party,
        "purpose": content.purpose,
        "return_address": content.return_address,
        "challenge": content.challenge,
        "request_hash": request.request_hash,
        "status": request.status,
        "decline_reason": request.decline_reason,
        "created_at_s": request.created_at_s,
        "expires_at_s": request.expires_at_s,
        "caller": origin.caller,
        "idempotency_key": origin.idempotency_key,
        "fingerprint": origin.fingerprint,
        "about_key": content.about,
        "replaces": request.replaces,
        "offer_id": content.offer_id,
        "statement": content.statement,
        "initiator": content.initiator,
    }


def file_row(request_id: RequestId, position: int, file: PreparedFile) -> dict[str, object]:
    """Return the row of a new request's file."""
    return {
        "request_id": request_id,
        "position": position,
        "name": file.entry.name,
        "file_hash": file.entry.file_hash,
        "to_be_signed": file.entry.to_be_signed,
        "size_bytes": file.entry.size_bytes,
        "page": file.entry.page,
        "media_type": file.entry.media_type,
        "prepared": file.prepared,
    }
