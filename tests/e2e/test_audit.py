"""The log of a running system: what was signed stands in it, and it verifies with one file."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from deploy.home import REPOSITORY
from deploy.system import System
from tests.e2e.conftest import DemoPhone, Portal

_LIMIT_S = 90  # a checkpoint a minute


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of whole lines: the last one may be under way."""
    text = "".join(path.read_text() for path in sorted(folder.glob("events*.jsonl")))
    return [json.loads(line)["row"] for line in text.splitlines(keepends=True) if line[-1] == "\n"]


def test_what_was_signed_is_in_the_log_and_the_log_verifies(
    system: System, portal: Portal, phone: DemoPhone
) -> None:
    folder = system.home.of("audit") / "signer"
    deadline = time.monotonic() + _LIMIT_S
    rows: list[dict[str, Any]] = []
    checkpoints = folder / "checkpoints.jsonl"
    expected = {"process-started", "certificate", "sign"}
    while not (expected <= {row["event"] for row in rows} and checkpoints.exists()):
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)
        rows = read_rows(folder)
    (certified,) = [row for row in rows if row["event"] == "certificate"][-1:]
    signed = [row for row in rows if row["event"] == "sign"]
    assert signed[0]["source"] == "127.0.0.1"  # of the phone, told by the signer
    assert signed[0]["actor_kind"] == "phone"
    assert certified["origin"] == "vault-1"
    command = [sys.executable, "-I", str(REPOSITORY / "tools" / "audit_verify.py"), str(folder)]
    key = system.home.public / "audit-log.pem"
    done = subprocess.run(
        [*command, "--key", str(key)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "whole" in done.stdout) == (0, True), done.stdout
