"""A vault's database put back: what someone does who can write to it."""

from typing import Any

from sqlalchemy import text

from signer_core.storage.engine import write_transaction
from tests.fakes.vault_world import VaultWorld

TABLES = [
    *("keys", "requests", "share_records", "certificates", "outbox", "mark_heads"),
    *("certificate_statuses", "crl_heads", "crls"),
]


async def delete(world: VaultWorld, table: str, **where: Any) -> None:
    """Delete the rows of a table with these values; all, without any."""
    condition = " AND ".join(f"{column} = :{column}" for column in where) or "1 = 1"
    async with write_transaction(world.engines[0]) as connection:
        await connection.execute(text(f"DELETE FROM {table} WHERE {condition}"), where)


async def backup(world: VaultWorld) -> dict[str, list[dict[str, Any]]]:
    """Return every row of the database."""
    async with world.engines[0].connect() as connection:
        read = {
            t: (await connection.execute(text(f"SELECT * FROM {t}"))).mappings() for t in TABLES
        }
        return {table: [dict(row) for row in rows] for table, rows in read.items()}


async def bring_back(world: VaultWorld, saved: dict[str, list[dict[str, Any]]]) -> None:
    """Put yesterday's database in the place of today's."""
    for table in reversed(TABLES):
        await delete(world, table)
    async with write_transaction(world.engines[0]) as connection:
        for table in TABLES:
            for row in saved[table]:
                columns = ", ".join(row)
                values = ", ".join(f":{column}" for column in row)
                statement = text(f"INSERT INTO {table} ({columns}) VALUES ({values})")
                await connection.execute(statement, row)
