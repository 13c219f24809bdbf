"""`signer doctor` on a running system: well, and ill in ways that only a deep look finds."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.home import REPOSITORY
from deploy.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

CHECKS = {"health", "clock", "disk", "database", "integrity", "certificate"}
CRLS = {f"CRL of {issuer}" for issuer in ("issuing-ca", "device-ca", "infrastructure-ca", "root")}
PORTAL = {"health", "OCSP and TSA"} | CRLS


def doctor(system: System, *options: str) -> tuple[int, list[dict[str, str]]]:
    command = str(Path(sys.executable).parent / "signer")
    done = subprocess.run(
        [command, "--home", str(system.home.root), "doctor", "--json", *options],
        capture_output=True,
        text=True,
        timeout=180,
        cwd=REPOSITORY,
        check=False,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode
    return done.returncode, told["findings"]


def test_a_healthy_system_is_found_healthy_by_a_signature(system: System) -> None:
    code, findings = doctor(system)
    checks: dict[str, set[str]] = {}
    for one in findings:
        checks.setdefault(one["process"], set()).add(one["check"])
    assert checks == {
        "registrar": CHECKS,
        "vault": CHECKS | {"token"},
        "signer": CHECKS | {"vault", "registrar", "audit", "audit-space"},
        "worker": {"health", "clock", "disk", "certificate", "dead-letters", "alerts"},
        "portal": PORTAL,
        "canary": {"signature", "revocation"},
    }
    ill = [one for one in findings if one["verdict"] == "bad"]
    assert (code, ill) == (0, [])


def test_a_stopped_process_is_named_with_what_to_do(system: System) -> None:
    (vault,) = (one for one in system.supervisor.find_processes() if one.name == "vault")
    os.kill(vault.pid, signal.SIGSTOP)
    try:
        code, findings = doctor(system, "--no-canary")
    finally:
        os.kill(vault.pid, signal.SIGCONT)
    bad = {(one["process"], one["check"]) for one in findings if one["verdict"] == "bad"}
    assert code == 61
    assert ("vault", "health") in bad
    assert ("signer", "vault") in bad  # the signer sees it too
    assert all(one["advice"] for one in findings if one["verdict"] == "bad")


def test_a_rolled_back_database_is_found(system: System) -> None:
    database = system.home.of("registrar") / "registrar.db"
    _sql(database, "UPDATE alembic_version SET version_num = 'r0000'")
    try:
        code, findings = doctor(system, "--no-canary")
    finally:
        _sql(database, "UPDATE alembic_version SET version_num = 'r0001'")
    (found,) = (
        one for one in findings if (one["process"], one["check"]) == ("registrar", "database")
    )
    assert (code, found["verdict"]) == (61, "bad")


def _sql(database: Path, statement: str) -> None:
    with sqlite3.connect(database, timeout=10) as connection:
        connection.execute(statement)
