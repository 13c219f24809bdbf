"""Bring a database to the newest schema, with Alembic, in one transaction."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that the database has not seen yet."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "hsm_module.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
