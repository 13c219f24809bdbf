import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from signer_core.storage.signer import schema


@pytest.fixture
async def engine(tmp_path):
    """The signer's database, migrated."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/signer.db")
    await schema.upgrade(engine)
    yield engine
    await engine.dispose()
