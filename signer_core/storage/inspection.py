"""Whether a database answers, is whole, and has the tables this version of the code wants."""

from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.storage.engine import read_transaction


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inspection found."""

    engine: str  # "sqlite" or "postgresql"
    revision: str  # of the tables
    wanted: str  # the newest revision of the code


async def inspect(engine: AsyncEngine, script_location: Path) -> Inspection:
    """Compare a database with its migrations.

    Raises:
        UnavailableError: the database is gone.
    """
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    wanted = ScriptDirectory.from_config(config).get_heads()
    async with read_transaction(engine) as connection:
        revisions = await connection.run_sync(_revisions)
    return Inspection(
        engine=engine.dialect.name,
        revision=", ".join(sorted(revisions)),
        wanted=", ".join(sorted(wanted)),
    )


async def find_damage(engine: AsyncEngine) -> str | None:
    """Let SQLite read every page; return what is wrong, None where nothing is.

    PostgreSQL has no such check to call: it finds damage page by page, as it reads.
    """
    if engine.dialect.name != "sqlite":
        return None
    try:
        async with read_transaction(engine) as connection:
            said = await connection.exec_driver_sql("PRAGMA quick_check(1)")
            found = str(said.scalar_one())
    except DatabaseError as error:  # so damaged that it cannot be read
        return str(error.orig)
    return None if found == "ok" else found


def database_folder(url: str) -> Path | None:
    """Return the folder of a database's file; None where it is on a server or in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database).absolute().parent


def _revisions(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()
