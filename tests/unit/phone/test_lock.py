import subprocess
import sys

import pytest

from mobile_share.errors import FolderInUseError
from mobile_share.lock import only_user_of

OTHER = """
import sys
from pathlib import Path
from mobile_share.errors import FolderInUseError
from mobile_share.lock import only_user_of
try:
    with only_user_of(Path(sys.argv[1])):
        print("held")
except FolderInUseError:
    print("refused")
"""


def other_process(folder):
    command = [sys.executable, "-c", OTHER, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_second_process_is_refused_until_the_first_is_done(tmp_path):
    with only_user_of(tmp_path):
        assert other_process(tmp_path) == "refused"
    assert other_process(tmp_path) == "held"


def test_second_session_of_the_same_process_is_refused(tmp_path):
    with only_user_of(tmp_path), pytest.raises(FolderInUseError), only_user_of(tmp_path):
        pass


def test_trouble_inside_is_not_taken_for_a_lock(tmp_path):
    with pytest.raises(BlockingIOError), only_user_of(tmp_path):
        raise BlockingIOError
