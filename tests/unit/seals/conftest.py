from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest

from signer_core.seals.levels import Levels
from signer_core.seals.model import SealUser
from signer_core.seals.repair import Repairs
from signer_core.seals.sealing import Sealing
from signer_core.seals.trust import TrustRevocation, TrustTimestamper
from signer_core.storage.engine import make_engine
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.schema import MIGRATIONS
from signer_core.storage.signer.seal_repairs import SealRepairs
from tests.fakes import handmade
from tests.fakes.seals import FakeTrust, FakeVaultSeals, Pki, now, to_der

PORTAL = SealUser("portal", frozenset({"portal.internal", "localhost"}))


class World:
    """The seal service on a database, with trust services and a vault in memory."""

    def __init__(self, made, engine, executor):
        self.pki, self.engine = made, engine
        self.trust, self.vault = FakeTrust(made), FakeVaultSeals(made)
        self.user = PORTAL
        levels = Levels(
            timestamper=TrustTimestamper(self.trust),
            revocation=TrustRevocation(self.trust),
            issuers=(to_der(made.cas.issuing.certificate),),
            executor=executor,
            clock=now,
        )
        self.rows = SealRepairs(engine, AuditOutbox(engine, now))
        self.repairs = Repairs(self.rows, levels, now)
        self.sealing = Sealing(self.vault, levels, self.repairs, now, ZoneInfo("Europe/Kyiv"))


@pytest.fixture(scope="session")
def seal_pki():
    return Pki()


@pytest.fixture
async def seals(seal_pki, make_database):
    engine = make_engine(await make_database(MIGRATIONS))
    with ThreadPoolExecutor(1) as executor:
        yield World(seal_pki, engine, executor)
    await engine.dispose()


@pytest.fixture(scope="session")
def page():
    return handmade.one_page()
