"""Records wrapped under a KEK, each bound to what it is, whose it is and which KEK it is under."""

from typing import Final, Literal

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage import statements
from hsm_module.storage.beside import Fetched
from hsm_module.storage.tables import certificates, share_records
from hsm_module.token.port import KekId, Token
from signer_core.errors import NotFoundError
from signer_core.identifiers import KeyId

VERSION: Final = 1
RecordType = Literal["share", "epoch-key", "certificate"]


def associated_data(record: RecordType, key_id: KeyId, generation: int, kek_id: KekId) -> bytes:
    """Encode (record type, version, key id, generation, KEK id), the AAD of §7."""
    parts = (
        b"diia-signer/vault/record",
        record.encode(),
        VERSION.to_bytes(4, "big"),
        key_id,
        generation.to_bytes(4, "big"),
        kek_id.encode(),
    )
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class Records:
    """Wraps and unwraps records; new ones under the newest KEK, or the one that is `pinned`."""

    def __init__(self, token: Token, pinned: KekId | None = None) -> None:
        self._token = token
        self._pinned = pinned

    @property
    def kek_id(self) -> KekId:
        """The KEK of new records: a rotation may change it between two calls."""
        return self._pinned or self._token.newest_kek()

    def pinned(self) -> "Records":
        """Return the same, under today's KEK for good: for what is written together."""
        return Records(self._token, self.kek_id)

    async def wrap(
        self, record: RecordType, key_id: KeyId, generation: int, plaintext: bytes
    ) -> bytes:
        """Encrypt a record (1 B to 16 KiB) under `kek_id`."""
        kek_id = self.kek_id
        aad = associated_data(record, key_id, generation, kek_id)
        return await self._token.wrap(kek_id, plaintext, aad)

    async def unwrap(
        self, record: RecordType, key_id: KeyId, generation: int, sealed: tuple[str, bytes]
    ) -> bytes:
        """Decrypt `sealed`, a KEK id with a blob.

        Raises:
            VerificationError: it is another record, or changed.
        """
        kek_id = KekId(sealed[0])
        aad = associated_data(record, key_id, generation, kek_id)
        return await self._token.unwrap(kek_id, sealed[1], aad)


class RecordRows:
    """The wrapped records of one transaction."""

    def __init__(self, connection: AsyncConnection, fetched: Fetched) -> None:
        self._connection = connection
        self._fetched = fetched.shares

    async def insert_share(self, key_id: KeyId, generation: int, kek_id: str, blob: bytes) -> None:
        """Store the share record of a generation."""
        row = {"key_id": key_id, "generation": generation, "kek_id": kek_id, "blob": blob}
        await self._connection.execute(insert(share_records).values(row))

    async def delete_share(self, key_id: KeyId, generation: int) -> None:
        """Erase the share record of a generation, if there is one."""
        where = (share_records.c.key_id == key_id, share_records.c.generation == generation)
        await self._connection.execute(delete(share_records).where(*where))

    async def get_share(self, key_id: KeyId, generation: int) -> tuple[str, bytes]:
        """Return KEK id and blob.

        Raises:
            NotFoundError: no such record.
        """
        where = {statements.ROW_ID: key_id, statements.GENERATION: generation}
        row = self._fetched.pop((key_id, generation), None)
        row = row or await statements.SELECT_SHARE.find(self._connection, where)
        if row is None:
            raise NotFoundError("the vault has no such record")
        return row["kek_id"], row["blob"]

    async def insert_certificate(self, key_id: KeyId, kek_id: str, blob: bytes) -> None:
        """Store a person's certificate."""
        row = {"key_id": key_id, "kek_id": kek_id, "blob": blob}
        await self._connection.execute(insert(certificates).values(row))

    async def replace_certificate(self, key_id: KeyId, kek_id: str, blob: bytes) -> None:
        """Store a person's renewed certificate in the place of the one before."""
        query = update(certificates).where(certificates.c.key_id == key_id)
        await self._connection.execute(query.values(kek_id=kek_id, blob=blob))

    async def get_certificate(self, key_id: KeyId) -> tuple[str, bytes]:
        """Return KEK id and blob.

        Raises:
            NotFoundError: no certificate was issued for this key.
        """
        return await self._one(certificates, certificates.c.key_id == key_id)

    async def _one(self, table: Table, *where: ColumnElement[bool]) -> tuple[str, bytes]:
        query = select(table.c.kek_id, table.c.blob).where(*where)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("the vault has no such record")
        return row.kek_id, row.blob
