"""The bytes of a request's files: as prepared, and once signed."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import NotFoundError
from signer_core.identifiers import RequestId
from signer_core.storage.engine import read_transaction
from signer_core.storage.prepared import Prepared
from signer_core.storage.signer.tables import request_files


def _query(column: Column[Any]) -> Prepared:
    wanted = bindparam("position", type_=BigInteger)  # a peer may say more than the column holds
    by_id = request_files.c.request_id == bindparam("the_id")
    return Prepared(select(column.label("pdf")).where(by_id, request_files.c.position == wanted))


# Built once: to build a query costs more than to run it.
_PREPARED: Final = _query(request_files.c.prepared)
_SIGNED: Final = _query(request_files.c.signed)


class Files:
    """PDFs of requests, one at a time: a request may hold 64 of 20 MiB."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def prepared(self, request_id: RequestId, position: int) -> bytes:
        """Return a file as it will be signed.

        Raises:
            NotFoundError: the request has no such file.
        """
        return await self._read(_PREPARED, request_id, position)

    async def signed(self, request_id: RequestId, position: int) -> bytes:
        """Return a signed file.

        Raises:
            NotFoundError: the request has no such file, or it is not signed.
        """
        return await self._read(_SIGNED, request_id, position)

    async def _read(self, query: Prepared, request_id: RequestId, position: int) -> bytes:
        wanted = {"the_id": request_id, "position": position}
        async with read_transaction(self._engine) as connection:
            row = await query.find(connection, wanted)
        if row is None or row["pdf"] is None:
            raise NotFoundError("no such file in this request, or not signed yet")
        pdf: bytes = row["pdf"]
        return pdf
