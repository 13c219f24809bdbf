"""What a process finds when it examines itself, check by check."""

import asyncio
import dataclasses
import os
import time
from datetime import timedelta

import pytest
from cryptography import x509

from grpc_api import diagnostics
from grpc_api.clients.checkup import HEALTHY, ILL, WARNED, Row, check_clock, exit_code
from grpc_api.clients.diagnostics import DiagnosticsClient
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.diagnostics import check_certificate, check_database, check_disk, check_integrity
from grpc_api.server import make_internal_server
from grpc_api.servers.diagnostics import SERVICE, add_diagnostics
from grpc_api.signer_neighbours import check_neighbours
from grpc_api.signer_parts import Neighbours
from signer_core import diagnostics as core
from signer_core.diagnostics import Examination, Finding, Verdict, examine
from signer_core.errors import DeniedError, NotFoundError, UnavailableError
from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.registrar.tables import MIGRATIONS
from tests.fakes.grpc_server import running

GOOD, WARNING, BAD = Verdict.GOOD, Verdict.WARNING, Verdict.BAD


@pytest.mark.parametrize(
    ("free_mib", "verdict"),
    [(4096, GOOD), (2048, GOOD), (2047, WARNING), (256, WARNING), (255, BAD)],
)
def test_disk_space(tmp_path, monkeypatch, free_mib, verdict):
    real = os.statvfs(tmp_path)

    class Status:
        f_frsize, f_bavail = real.f_frsize, (free_mib << 20) // real.f_frsize

    monkeypatch.setattr(diagnostics.os, "statvfs", lambda _: Status)
    found = check_disk(tmp_path)
    assert (found.verdict, bool(found.advice)) == (verdict, verdict is not GOOD)
    assert f"{free_mib} MiB" in found.says


def test_a_disk_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UnavailableError, match="cannot be written"):
        check_disk(tmp_path / "gone")


@pytest.mark.parametrize(("days", "verdict"), [(15, GOOD), (14, WARNING), (0, WARNING), (-1, BAD)])
def test_days_left_of_a_certificate(certificates, days, verdict):
    path = certificates.process("signer.internal").cert
    end = x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc
    now = end - timedelta(days=days, seconds=1 if days >= 0 else 0)
    assert check_certificate(path, now).verdict is verdict


@pytest.fixture
async def database(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/a.db"
    await upgrade(url, MIGRATIONS)
    engine = make_engine(url)
    yield engine
    await engine.dispose()


async def test_a_whole_database_of_this_version(database):
    found = await check_database(database, MIGRATIONS)
    assert (found.verdict, found.advice) == (GOOD, "")


async def test_a_database_of_another_version(database):
    async with database.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r0000'")
    assert (await check_database(database, MIGRATIONS)).verdict is BAD


async def test_a_damaged_database(database, tmp_path):
    async with database.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE t (a TEXT)")
        await connection.exec_driver_sql("INSERT INTO t VALUES (hex(zeroblob(100000)))")
    assert (await check_integrity(database)).verdict is GOOD
    await database.dispose()
    file = tmp_path / "a.db"
    content = bytearray(file.read_bytes())
    content[4096 : 4 * 4096] = b"\xff" * (3 * 4096)
    file.write_bytes(content)
    found = await check_integrity(database)
    assert (found.verdict, found.says[:8]) == (BAD, "damaged:")


async def test_a_database_that_takes_too_long_to_read_is_a_warning(database, monkeypatch):
    async def forever(_engine):
        await asyncio.sleep(60)

    monkeypatch.setattr(diagnostics, "_READING_S", 0.05)
    monkeypatch.setattr(diagnostics, "find_damage", forever)
    assert (await check_integrity(database)).verdict is WARNING


async def test_a_check_that_hangs_or_fails_is_a_finding(monkeypatch):
    monkeypatch.setattr(core, "CHECK_LIMIT_S", 0.05)

    async def fail():
        raise UnavailableError("the database cannot be used now")

    async def good():
        return Finding("c", GOOD, "well")

    found = await examine(
        {"a": asyncio.sleep(60, Finding("a", GOOD, "")), "b": fail(), "c": good()}
    )
    assert [(one.check, one.verdict) for one in found] == [("a", BAD), ("b", BAD), ("c", GOOD)]
    assert "cannot be used" in found[1].says


async def test_neighbours_that_let_the_signer_in_refuse_what_does_not_exist():
    class Answers:
        def __init__(self, error):
            self.error = error

        async def result(self, _request_id):
            if self.error:
                raise self.error

        async def attest_photo(self, _device, _request_id, _photo):
            if self.error:
                raise self.error

    async def verdicts(vault, registrar):
        asked = {"registrar": Answers(registrar), "requests": Answers(vault)}
        others = {one.name: None for one in dataclasses.fields(Neighbours)} | asked
        around = Neighbours(**others | {"vault_id": "vault-1"})
        return [one.verdict for one in await examine(check_neighbours(around))]

    assert await verdicts(NotFoundError("no"), NotFoundError("no")) == [GOOD, GOOD]
    assert await verdicts(DeniedError("no"), UnavailableError("away")) == [BAD, BAD]
    assert await verdicts(None, None) == [BAD, BAD]


async def test_it_arrives_as_it_was_found_and_only_where_it_is_allowed(certificates):
    found = Examination(
        "vault", "1.2", 5, (Finding("disk", WARNING, "little", "make room"), Finding("x", BAD, "y"))
    )

    async def run():
        return found

    server = make_internal_server({SERVICE: ["health.internal"]})
    add_diagnostics(server, run)
    tls = internal_server_credentials(certificates.process("vault.internal"))
    async with running(server, tls) as address:
        own = certificates.process("health.internal")
        async with internal_channel(address, "vault.internal", own) as channel:
            assert await DiagnosticsClient(channel).examine() == found
        other = certificates.process("portal.internal")
        async with internal_channel(address, "vault.internal", other) as channel:
            with pytest.raises(DeniedError):
                await DiagnosticsClient(channel).examine()


@pytest.mark.parametrize(
    ("ahead_s", "verdict"),
    [(0, GOOD), (2, GOOD), (-3, WARNING), (29, WARNING), (-30, BAD), (3600, BAD)],
)
def test_clocks(ahead_s, verdict):
    now_s = time.time()
    found = Examination("vault", "1", int((now_s + ahead_s) * 1000), ())
    assert check_clock(found, int(now_s * 1000) / 1000).verdict is verdict


def test_the_worst_finding_is_the_exit_code():
    def rows(*verdicts):
        return [Row("vault", Finding("x", one, "")) for one in verdicts]

    assert exit_code(rows(GOOD, GOOD)) == HEALTHY == 0
    assert exit_code(rows(GOOD, WARNING)) == WARNED == 60
    assert exit_code(rows(WARNING, BAD, GOOD)) == ILL == 61
