"""`python -m hsm_module restore`, killed and repeated: what a backup forgot stays known."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from deploy import setup
from deploy.home import REPOSITORY, Home
from grpc_api.clients.vault import VaultKeysClient, VaultRequestsClient
from signer_core.ports import KeyStatus, RequestState
from tests.fakes.vault_process import Deployment
from tests.fixtures.crash_points import HIT

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

POINTS = ["vault.restore.commit", "vault.restore.after", "vault.void.commit", "vault.void.after"]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A vault that was used after its backup: a key signed, another came, a request is open."""
    home = Home(tmp_path_factory.mktemp("restore"))
    setup.prepare(home, lambda _: None)
    vault = Deployment(home)
    database = home.of("vault") / "vault.db"
    state = {"home": home, "vault": vault}

    async def use() -> None:
        async with vault.running(), vault.grpc() as channel:
            state["phone"] = await vault.enrol(channel)
            state["open"] = vault.registration(state["phone"])
            await VaultRequestsClient(channel).register(state["open"])
        shutil.copy(database, tmp_path_factory.getbasetemp() / "backup.db")
        async with vault.running(), vault.grpc() as channel:
            ask = vault.ask_for(state["phone"], state["open"])
            await (await vault.signing(channel, state["phone"].copy(), ask)).run()
            await vault.enrol(channel)

    asyncio.run(use())
    for leftover in database.parent.glob("vault.db*"):
        leftover.unlink()
    shutil.copy(tmp_path_factory.getbasetemp() / "backup.db", database)
    return state


def run_restore(home: Home, control) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "tests.crash.launch", "vault", "restore"),
            *("--config", str(home.settings("vault"))),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=REPOSITORY,
        env=os.environ | {"CRASH_FOLDER": str(control)},
    )


@pytest.mark.parametrize("point", POINTS)
def test_a_restore_that_dies_is_repeated(used, tmp_path, point):
    home = Home(tmp_path / "home")
    shutil.copytree(used["home"].root, home.root)
    control = tmp_path / "control"
    control.mkdir()
    settings = home.settings("vault")
    settings.write_text(settings.read_text().replace(str(used["home"].root), str(home.root)))
    conf = home.of("softhsm") / "softhsm2.conf"
    conf.write_text(conf.read_text().replace(str(used["home"].root), str(home.root)))
    (control / "armed").write_text(point)
    assert run_restore(home, control).returncode == -9
    assert (control / "hit").read_text() == point
    HIT.add(point)
    done = run_restore(home, control)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("restored 1 keys, 0 of them ended for good by their marks")
    assert "1 keys are newer than the backup and lost" in done.stdout
    asyncio.run(only_what_the_backup_had_is_there_and_closed(Deployment(home), used))
    with closing(sqlite3.connect(home.of("vault") / "vault.db")) as connection:
        assert connection.execute("SELECT count(*) FROM keys").fetchone() == (1,)


async def only_what_the_backup_had_is_there_and_closed(vault, used):
    async with vault.running(), vault.grpc() as channel:
        state = await VaultKeysClient(channel).key_state(used["phone"].key_id)
        assert state.status is KeyStatus.RESTORED
        result = await VaultRequestsClient(channel).result(used["open"].request_id)
        assert result.state is RequestState.BURNED


def test_a_vault_with_yesterdays_database_does_not_start_and_says_what_to_do(used):
    process = used["vault"].start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "restore" in said
    assert len(said.splitlines()) == 1
