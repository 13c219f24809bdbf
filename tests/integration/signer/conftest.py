import io

import pytest
import structlog
from sqlalchemy import select

from grpc_api.logs import redact
from signer_core.storage.engine import make_engine, read_transaction
from signer_core.storage.signer.audit_tables import audit_outbox
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes.signer_world import open_world


@pytest.fixture
async def database_url(make_database):
    """The signer's database, migrated."""
    return await make_database(MIGRATIONS)


@pytest.fixture
async def engine(database_url):
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def logs():
    """What the signer logs, as its process would write it."""
    written = io.StringIO()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    yield written
    structlog.reset_defaults()


@pytest.fixture
async def world(tmp_path, database_url, logs):
    async with open_world(tmp_path, database_url) as world:
        yield world


@pytest.fixture
async def phone(world):
    """A person's phone with a certificate."""
    return await world.person()


@pytest.fixture
async def offers(world):
    """What the portal calls with."""
    return await world.offers()


@pytest.fixture
def audited(world):
    """Events of a name that the signer recorded, in their order: these columns of each."""

    async def read(name, *columns):
        wanted = columns or ("result", "reason", "subject")
        query = select(*(audit_outbox.c[one] for one in wanted))
        query = query.where(audit_outbox.c.event == name).order_by(audit_outbox.c.id)
        async with read_transaction(world.parts.engine) as connection:
            return [tuple(row) for row in await connection.execute(query)]

    return read
