"""A PostgreSQL server to measure on: the one that is named, or a throwaway one (fsync on)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from signer_core.storage.engine import make_engine
from tests.fixtures.postgres import OwnServer

DATABASES = ("bench_vault", "bench_signer")


@contextmanager
def server(url: str | None) -> Iterator[str]:
    """Give the URL of a server that has new, empty databases of ours."""
    if url is not None:
        asyncio.run(_empty(url))
        yield url
        return
    with OwnServer() as own:
        asyncio.run(_empty(own.url))
        yield own.url


async def _empty(url: str) -> None:
    engine = make_engine(url)
    async with engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for name in DATABASES:
            await free.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            await free.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
