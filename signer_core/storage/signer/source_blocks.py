"""Sources that are shut out for a while."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.audit_tables import source_blocks


async def shut_out(connection: AsyncConnection, source: str, now_s: int, until_s: int) -> None:
    """Shut a source out until a Unix time; forget those whose time is over."""
    over = (source_blocks.c.until_s <= now_s) | (source_blocks.c.source == source)
    await connection.execute(delete(source_blocks).where(over))
    await connection.execute(insert(source_blocks), {"source": source, "until_s": until_s})


async def find_blocked(engine: AsyncEngine, now_s: int) -> frozenset[str]:
    """Return the sources that are shut out now."""
    query = select(source_blocks.c.source).where(source_blocks.c.until_s > now_s)
    async with read_transaction(engine) as connection:
        return frozenset((await connection.execute(query)).scalars())
