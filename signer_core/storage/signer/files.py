"""The bytes of a request's files: as prepared, and once signed."""

import asyncio
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.documents import fill_gap
from signer_core.errors import NotFoundError
from signer_core.identifiers import RequestId
from signer_core.storage.engine import read_once
from signer_core.storage.prepared import Prepared
from signer_core.storage.signer.tables import request_files, signatures

# a peer may say more than the column holds
_WANTED: Final = bindparam("position", type_=BigInteger)
_THIS: Final = (
    request_files.c.request_id == bindparam("the_id"),
    request_files.c.position == _WANTED,
)
# Built once: to build a query costs more than to run it.
_PREPARED: Final = Prepared(select(request_files.c.prepared).where(*_THIS))
_SIGNED: Final = Prepared(
    select(request_files.c.prepared, request_files.c.signed, signatures.c.cms)
    .outerjoin(signatures)
    .where(*_THIS)
)

# What is done with so much takes under 1 ms, less than to change threads; 20 MiB take 34 and more.
INLINE_BYTES: Final = 256 * 1024


class Files:
    """PDFs of requests, one at a time: a request may hold 64 of 20 MiB."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def prepared(self, request_id: RequestId, position: int) -> bytes:
        """Return a file as it will be signed; empty if the signature stands beside it.

        Raises:
            NotFoundError: the request has no such file.
        """
        row = await self._find(_PREPARED, request_id, position)
        if row is None:
            raise NotFoundError("no such file in this request")
        prepared: bytes = row["prepared"]
        return prepared

    async def signed(self, request_id: RequestId, position: int) -> bytes:
        """Return a signed file, or the CMS (DER) that stands beside it.

        Raises:
            NotFoundError: the request has no such file, or it is not signed.
        """
        row = await self._find(_SIGNED, request_id, position)
        if row is None or (row["signed"] is None and row["cms"] is None):
            raise NotFoundError("no such file in this request, or not signed yet")
        if row["signed"] is not None:  # before 0012
            whole: bytes = row["signed"]
            return whole
        prepared: bytes = row["prepared"]
        cms: bytes = row["cms"]
        if not prepared:
            return cms
        if len(prepared) <= INLINE_BYTES:
            return fill_gap(prepared, cms)
        return await asyncio.to_thread(fill_gap, prepared, cms)

    async def _find(
        self, query: Prepared, request_id: RequestId, position: int
    ) -> dict[str, Any] | None:
        async with read_once(self._engine) as connection:
            return await query.find(connection, {"the_id": request_id, "position": position})
