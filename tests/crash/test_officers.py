"""`kill -9` of vault and signer while officers move records to a new KEK and end many keys.

The officer's own program may die as well: it keeps nothing, so it is run anew here each time.
"""

import secrets
import subprocess
import sys
import time

import pytest

from deploy.home import REPOSITORY
from grpc_api.clients.admin import Job, Selection
from hsm_module.officers.kek import Rotated, rotate_all
from hsm_module.officers.mass import run_job
from hsm_module.officers.running import patiently
from hsm_module.officers.session import Place, Session
from signer_core.admin.officers import Grounds, Reason
from signer_core.errors import RefreshNeededError, SignerError
from tests.crash.world import CrashWorld

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]
SCHEDULED = Grounds(Reason.SCHEDULED)
COMPROMISE = Grounds(Reason.KEY_COMPROMISE, "DRILL-1")


@pytest.fixture(scope="session")
def officer(crash_system, tmp_path_factory) -> Session:
    passphrase = tmp_path_factory.mktemp("officer") / "passphrase"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o600)
    home = crash_system.home.root
    words = ["--home", str(home), "--passphrase-file", str(passphrase), "init"]
    done = subprocess.run(
        [sys.executable, "-m", "hsm_module.officers", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Session.open(Place(home, None, passphrase))


async def rotate(officer: Session, *, resume: bool = False) -> Rotated:
    async with officer.vault() as vault:
        return await rotate_all(vault, SCHEDULED, lambda *_: None, resume=resume)


async def do_job(world: CrashWorld, officer: Session, kind: str, since_s: int) -> Job:
    """Write a job down and do it; the program that asked is another one after the death."""
    job_id, selection = secrets.token_bytes(16), Selection(issued_from_s=since_s)
    async with officer.signer() as signer:
        await patiently(lambda: signer.create_job(job_id, kind, selection, COMPROMISE))
    async with officer.vault() as vault, officer.signer() as signer:
        return await run_job(vault, signer, job_id, lambda _: None)


@pytest.mark.parametrize(
    "point",
    [
        "vault.manifest.before",  # the token has a key that nobody has pinned
        "vault.manifest.after",
        "vault.rewrap.commit",
        "vault.rewrap.after",
    ],
)
async def test_a_rotation_goes_on_where_it_died(crash_world, officer, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    before = await rotate(officer, resume=True)
    crash_world.arm(point)
    done = await rotate(officer)
    assert await crash_world.died_at(point)
    assert done.left == 0
    assert int(done.kek_id.removeprefix("kek-")) == 1 + int(before.kek_id.removeprefix("kek-"))
    assert crash_world.key(phone)["kek_id"] == done.kek_id
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize(
    "point",
    [
        "vault.manifest.before",
        "vault.manifest.after",  # the token has a key that the manifest names no more
        "vault.destroy.before",
        "vault.destroy.after",
    ],
)
async def test_a_kek_is_destroyed_although_the_vault_died(crash_world, officer, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    done = await rotate(officer)
    assert done.left == 0
    old = f"kek-{int(done.kek_id.removeprefix('kek-')) - 1}"
    crash_world.arm(point)
    async with officer.vault() as vault:
        await patiently(lambda: vault.destroy_kek(old, SCHEDULED))
        assert await crash_world.died_at(point)
        await vault.destroy_kek(old, SCHEDULED)  # once more does no harm
        assert old not in (await vault.kek_status()).records
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize(
    "point",
    [
        "signer.job.commit",
        "vault.end.commit",
        "vault.end.after",
        "signer.follow.before",
        "signer.note.commit",
        "signer.note.after",
    ],
)
async def test_a_mass_revocation_goes_on_where_it_died(crash_world, officer, tmp_path, point):
    since_s = int(time.time())
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    crash_world.arm(point)
    job = await do_job(crash_world, officer, "revoke", since_s)
    assert await crash_world.died_at(point)
    assert (job.pending, job.total) == (0, 1)
    key = crash_world.key(phone)
    assert (key["status"], key["ended_by"]) == ("retired", "officer")
    assert crash_world.vault_request(request_id)["state"] == "burned"
    assert (await crash_world.final_status(request_id)).value == "burned"
    events = crash_world.events(key["key_id"])
    assert events.count(("key-retired", "officer")) == 1


async def test_a_mass_refresh_goes_on_where_it_died(crash_world, officer, tmp_path):
    since_s = int(time.time())
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm("vault.mark.commit")
    job = await do_job(crash_world, officer, "refresh", since_s)
    assert await crash_world.died_at("vault.mark.commit")
    assert (job.pending, job.total) == (0, 1)
    ended = await crash_world.try_to_sign(phone, await crash_world.request())
    assert isinstance(ended, SignerError)
    assert isinstance(ended, RefreshNeededError)
