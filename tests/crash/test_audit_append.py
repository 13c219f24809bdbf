"""SIGKILL at every point of moving events into the log: nothing is lost, nothing is double."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.audit.conftest import LogWorld
from tests.integration.audit.test_keeping import POINTS

EVENTS = 20

# A process with a log and an outbox on disk, which ends itself without any clean-up.
PROGRAM = """
import asyncio, os, signal, sys
from pathlib import Path
from signer_core.storage.engine import upgrade
from signer_core.storage.signer.schema import MIGRATIONS
from tests.integration.audit.conftest import LogWorld

async def main(folder, point):
    url = f"sqlite+aiosqlite:///{folder}/signer.db"
    await upgrade(url, MIGRATIONS)
    log = LogWorld(url, Path(folder) / "audit")
    log.restart(lambda at: os.kill(os.getpid(), signal.SIGKILL) if at == point else None)
    await log.record(%d)
    await log.keeper.step()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_killed_while_it_appends(tmp_path: Path, point: str) -> None:
    command = [sys.executable, "-c", PROGRAM % EVENTS, str(tmp_path), point]
    died = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])
    assert died.returncode == -9
    log = LogWorld(f"sqlite+aiosqlite:///{tmp_path}/signer.db", tmp_path / "audit")
    await log.keeper.step()
    rows = [json.loads(leaf) for leaf in await log.leaves()]
    assert [row["seq"] for row in rows] == list(range(EVENTS))
    assert [row["subject"] for row in rows] == [str(place) for place in range(EVENTS)]
    assert log.file_lines() == await log.leaves()
    assert await log.reading.waiting() == (0, 0)
    log.sink.close()
    await log.engine.dispose()
