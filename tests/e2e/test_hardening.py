"""What a process does to itself before it reads a secret."""

from pathlib import Path

import pytest

from deploy.system import System


@pytest.mark.e2e
@pytest.mark.softhsm
def test_no_process_writes_a_core_dump(system: System) -> None:
    processes = system.supervisor.find_processes()
    assert len(processes) == 6
    for process in processes:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4:6] == ["0", "0"]


@pytest.mark.e2e
@pytest.mark.softhsm
def test_state_is_its_users_alone(system: System) -> None:
    for name in ("vault", "signer", "registrar", "worker"):
        for file in system.home.of(name).glob("*.db*"):
            assert file.stat().st_mode & 0o077 == 0, file
