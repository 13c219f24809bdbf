"""Rows of the system's own certificates, each under a MAC."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage import sealing
from hsm_module.storage.trust_tables import own_certificates as table
from hsm_module.token.port import KeyLabel, Token
from signer_core.storage.engine import take_turn


@dataclass(frozen=True, slots=True)
class OwnCertificateRow:
    """The newest certificate of a key in the token."""

    label: KeyLabel
    certificate: bytes  # DER
    row_version: int = 0


class OwnCertificateRows:
    """The own certificates of one transaction."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self._connection, self._token = connection, token

    async def take_turn(self, label: KeyLabel) -> None:
        """Be the only transaction that writes the certificate of this key, until it ends."""
        await take_turn(self._connection, f"own-certificate {label}")

    async def find(self, label: KeyLabel) -> OwnCertificateRow | None:
        """Return the newest certificate of a key.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
        """
        query = select(table).where(table.c.label == label)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        if found is None:
            return None
        row = await sealing.verify_ownerless(self._token, table, found)
        return OwnCertificateRow(label, row["certificate"], row["row_version"])

    async def replace(self, label: KeyLabel, certificate: bytes) -> None:
        """Put a certificate in the place of the one before; `take_turn` first."""
        known = await self.find(label)
        values: dict[str, Any] = {
            "label": label,
            "certificate": certificate,
            "row_version": known.row_version + 1 if known else 0,
        }
        sealed = {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, table, values)}
        await self._connection.execute(delete(table).where(table.c.label == label))
        await self._connection.execute(insert(table).values(sealed))
