"""`kill -9` of the phone's program around each write of its share file."""

import os
import subprocess
import sys

import pytest

from deploy.home import REPOSITORY
from grpc_api.clients.status import RequestStatus
from tests.crash.world import PIN

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


def run(world, folder, *arguments: str, typed: str = PIN) -> int:
    """Run `signer-phone` with the places to die; return its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.launch", "phone", "--home", str(folder), *arguments],
        input=typed + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=REPOSITORY,
        env=os.environ | {"CRASH_FOLDER": str(world.control)},
    )
    assert "Traceback" not in done.stderr
    return done.returncode


def died(world, folder, point, *arguments: str, typed: str = PIN) -> bool:
    world.arm(point)
    code = run(world, folder, *arguments, typed=typed)
    return (code, (world.control / "hit").read_text()) == (-9, point)


@pytest.mark.parametrize("point", ["phone.pending.before", "phone.draft.after"])
async def test_before_step_5_is_written_down_nothing_was_sent(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    assert died(crash_world, tmp_path, point, "sign", request_id.hex(), "--pin-stdin")
    assert phone.shares.load().pending == ()
    assert run(crash_world, tmp_path, "sign", request_id.hex(), "--pin-stdin") == 0
    assert crash_world.signatures(request_id) == 1
    assert await crash_world.still_signs(phone)


async def test_a_session_written_down_and_not_sent_is_no_copy(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    point = "phone.pending.after"
    assert died(crash_world, tmp_path, point, "sign", request_id.hex(), "--pin-stdin")
    assert len(phone.shares.load().pending) == 1
    assert run(crash_world, tmp_path, "sign", request_id.hex(), "--pin-stdin") == 0
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize("point", ["phone.epoch.before", "phone.epoch.after"])
async def test_the_result_is_there_after_a_death_at_step_7(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    assert died(crash_world, tmp_path, point, "sign", request_id.hex(), "--pin-stdin")
    assert await crash_world.final_status(request_id) is RequestStatus.CONSUMED
    assert await crash_world.still_signs(phone)
    lost = ("epoch", "lost-reply") in crash_world.events(phone.shares.load().share.key_id)
    assert lost == (point == "phone.epoch.before")


@pytest.mark.parametrize(
    "point",
    [
        "phone.share.before",
        "phone.share.after",
        "phone.certificate.before",
        "phone.certificate.after",
    ],
)
async def test_an_enrolment_is_taken_up_again(crash_world, tmp_path, point):
    code = await crash_world.code()
    deployment = str(crash_world.system.home.deployment)
    words = ("enrol", code, "--deployment", deployment, "--yes", "--pin-stdin")
    assert died(crash_world, tmp_path, point, *words)
    phone = crash_world.new_phone(tmp_path)
    for _ in range(3):
        if not phone.is_enrolled:
            run(crash_world, tmp_path, *words)
    assert phone.is_enrolled
    assert await crash_world.still_signs(phone)
