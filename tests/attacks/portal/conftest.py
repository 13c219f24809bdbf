"""A portal with its provider, on a database of its own."""

import asyncio
import shutil

import pytest
from joserfc.jwk import ECKey

from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes.login_portal import BACK, key_partner, make_portal, partner


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """One database file for all tests: each copies it."""
    path = tmp_path_factory.mktemp("logins") / "signer.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}", MIGRATIONS))
    return path


@pytest.fixture
async def engine(migrated, tmp_path):
    copy = shutil.copy(migrated, tmp_path)
    engine = make_engine(f"sqlite+aiosqlite:///{copy}")
    yield engine
    await engine.dispose()


@pytest.fixture
def portal(engine):
    return make_portal(engine, partner(), partner("shop", return_addresses=(BACK,)))


@pytest.fixture
def key():
    return ECKey.generate_key("P-256", {"kid": "k1"})


@pytest.fixture
def with_key(engine, key):
    return make_portal(engine, key_partner(key))
