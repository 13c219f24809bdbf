"""What `make up` tells of its processes."""

import pytest

from deploy.home import Home
from deploy.supervision import ProcessState
from deploy.watch import Watch


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.logs.mkdir()
    return home


def states(**pids):
    return [ProcessState(name, pid, "RUNNING" if pid else "BACKOFF") for name, pid in pids.items()]


def test_it_tells_a_restart_once(home):
    watch = Watch(home)
    assert list(watch.tell(states(vault=1, signer=2))) == []
    assert list(watch.tell(states(vault=0, signer=2))) == []
    (line,) = watch.tell(states(vault=3, signer=2))
    assert line == "vault ended and was started again (pid 3)"
    assert list(watch.tell(states(vault=3, signer=2))) == []


def test_it_names_the_process_that_is_down_and_its_last_line_once(home):
    (home.logs / "vault.jsonl").write_text('{"event": "x"}\nvault: the PIN is wrong\n\n')
    watch, down = Watch(home), [ProcessState("vault", 0, "FATAL")]
    assert list(watch.tell(down)) == ["vault is down and does not start: vault: the PIN is wrong"]
    assert list(watch.tell(down)) == []


def test_one_that_came_back_may_go_down_again(home):
    watch, down = Watch(home), [ProcessState("vault", 0, "FATAL")]
    list(watch.tell(down))
    list(watch.tell(states(vault=5)))
    (line,) = watch.tell(down)
    assert f"no log at {home.logs / 'vault.jsonl'}" in line
