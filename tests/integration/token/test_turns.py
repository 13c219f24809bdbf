"""A real token under threads: one call at a time, or SoftHSM takes the process along."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SOAK_S = 4  # without the lock it crashes, or answers wrongly, within one


@pytest.mark.softhsm
def test_threads_and_the_event_loop_use_the_token_at_once_and_nothing_crashes(soft_token):
    told = {
        "module": str(soft_token.site.module),
        "conf": str(soft_token.site.conf),
        "label": soft_token.site.label,
        "pin": soft_token.pin.get_secret_value(),
        "manifest": soft_token.manifest.model_dump_json(),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.fakes.token_soak", str(SOAK_S)],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr  # -11: it crashed
    assert done.stderr == ""
    assert int(done.stdout) > 500
