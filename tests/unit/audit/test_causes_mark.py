"""The mark `causes`: a test that has it and causes nothing fails."""

import subprocess
import sys

from deploy.home import REPOSITORY

TESTS = """
import pytest

from signer_core.observe.metrics import AUDIT_EVENTS


@pytest.mark.causes("officer")
def test_that_causes_it():
    AUDIT_EVENTS.labels("officer", "added").inc()


@pytest.mark.causes("officer", "kek")
def test_that_causes_one_of_two():
    AUDIT_EVENTS.labels("officer", "added").inc()


@pytest.mark.causes("kek")
def test_that_causes_none():
    pass
"""


def test_a_mark_that_is_not_true_fails_its_test(tmp_path):
    path = tmp_path / "test_marked.py"
    path.write_text(TESTS)
    options = ("-q", "-p", "tests.fixtures.audit", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {
        line.split("::")[1].split(" ")[0] for line in done.stdout.splitlines() if "::" in line
    }
    assert done.returncode == 1
    assert failed == {"test_that_causes_one_of_two", "test_that_causes_none"}, done.stdout
