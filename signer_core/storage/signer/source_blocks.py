"""Sources with many wrong PINs, and those that are shut out for a while.

Counted in the database, in the transaction that appends what is counted: over all signers, and over
restarts.
"""

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.alarms import BURST, BURST_WINDOW_S
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.audit_tables import source_blocks, wrong_pins


async def note_wrong_pin(connection: AsyncConnection, source: str, at_s: int) -> bool:
    """Count a wrong PIN; say whether it makes a burst, with which the count begins anew.

    Whoever calls has the turn of the log.
    """
    row = {"source": source, "at_s": at_s}
    await connection.execute(insert(wrong_pins), row)
    await connection.execute(delete(wrong_pins).where(wrong_pins.c.at_s <= at_s - BURST_WINDOW_S))
    same = wrong_pins.c.source == source
    query = select(func.count()).select_from(wrong_pins).where(same)
    if (await connection.execute(query)).scalar_one() < BURST:
        return False
    await connection.execute(delete(wrong_pins).where(same))
    return True


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
