"""What a key was asked and is over, as its owner sees it."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId
from signer_core.signing.model import FileEntry, Request, RequestStatus
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.request_rows import to_request
from signer_core.storage.signer.tables import request_files, requests

LISTED_AT_MOST: Final = 100
USUALLY_LISTED: Final = 50


class History:
    """Reads only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_key(
        self, key_id: KeyId, limit: int, before_s: int, now_s: int
    ) -> tuple[Request, ...]:
        """Return past requests, the last to end first, without what was signed for them.

        `limit`: 1 to 100, 0 means 50. `before_s`: Unix time before which they ended, 0 means now.

        Raises:
            InvalidRequestError: another limit.
        """
        if limit > LISTED_AT_MOST:
            raise InvalidRequestError(f"at most {LISTED_AT_MOST} requests at once")
        ended = func.coalesce(requests.c.ended_at_s, requests.c.expires_at_s)
        live = (requests.c.status == RequestStatus.OPEN) & (requests.c.expires_at_s > now_s)
        query = (
            select(requests)
            .where(requests.c.key_id == key_id, requests.c.about_key.is_(None), ~live)
            .where(requests.c.status != RequestStatus.NEW)
            .order_by(ended.desc(), requests.c.request_id)
            .limit(limit or USUALLY_LISTED)
        )
        if before_s:
            query = query.where(ended < min(before_s, 2**63 - 1))
        async with read_transaction(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            ids = [row["request_id"] for row in rows]
            listed = await connection.execute(
                select(
                    request_files.c.request_id,
                    request_files.c.name,
                    request_files.c.file_hash,
                    request_files.c.size_bytes,
                    request_files.c.page,
                    request_files.c.media_type,
                )
                .where(request_files.c.request_id.in_(ids))
                .order_by(request_files.c.position)
            )
            files: dict[bytes, list[FileEntry]] = {}
            for found_id, name, file_hash, size_bytes, page, media_type in listed:
                entry = FileEntry(name, file_hash, b"", size_bytes, page, media_type)
                files.setdefault(found_id, []).append(entry)
        return tuple(to_request(row, tuple(files.get(row["request_id"], ()))) for row in rows)
