"""A killed process comes back by itself; one that cannot start is given up, and says why."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from deploy import readiness
from deploy.demo.commands import DemoPhone
from deploy.home import Home
from deploy.supervision import ProcessState, StartError
from deploy.system import System, running
from deploy.watch import GIVEN_UP, Watch
from signer_core.errors import UnavailableError
from tests.e2e.conftest import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


def find(system: System, name: str) -> ProcessState:
    (process,) = (one for one in system.supervisor.find_processes() if one.name == name)
    return process


def soon(attempt: Callable[[], str]) -> str:
    """Repeat what says "try again later": neighbours look for one that was away every 2 s."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return attempt()
        except (UnavailableError, StartError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@pytest.mark.parametrize("name", ["registrar", "vault", "signer"])
def test_a_killed_process_comes_back_and_a_signature_works(
    system: System, portal: Portal, phone: DemoPhone, contract: bytes, name: str
) -> None:
    before = find(system, name).pid
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while find(system, name).pid in (0, before):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    readiness.wait_until_serving(system.home, system.ports, system.supervisor)
    request_id = soon(lambda: portal.request([contract]))
    soon(lambda: phone.sign(request_id))
    assert portal.signed(request_id)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that the tests may break."""
    return Home(tmp_path_factory.mktemp("own"))


def test_a_vault_with_a_wrong_pin_is_given_up_after_three_tries(own: Home) -> None:
    with running(own, lambda _: None) as system:
        watch = Watch(own)
        assert list(watch.tell(system.supervisor.find_processes())) == []
        (own.of("vault") / "token-pin").write_text("wrong\n")
        os.kill(find(system, "vault").pid, signal.SIGKILL)
        deadline = time.monotonic() + 120
        told: list[str] = []
        while find(system, "vault").state != GIVEN_UP:
            assert time.monotonic() < deadline
            told += watch.tell(system.supervisor.find_processes())
            time.sleep(0.1)
        told += watch.tell(system.supervisor.find_processes())
        assert "vault is down and does not start: vault: the PIN of token" in told[-1]
        assert find(system, "signer").pid  # the others go on
        refused = (own.logs / "vault.jsonl").read_text().count("vault: the PIN of token")
        assert 1 <= refused <= 3


def test_the_processes_that_were_stopped_drained(own: Home) -> None:
    log = (own.logs / "supervisord.log").read_text()
    for name in ("registrar", "signer"):
        assert f"stopped: {name} (exit status 0)" in log
        assert '"event": "draining"' in (own.logs / f"{name}.jsonl").read_text()
