"""The systemd units: known to systemd, and each process alone with its own files."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.supervision import COMMANDS, DEVELOPMENT

FOLDER = Path(__file__).resolve().parents[3] / "deploy/systemd"
ROLES = [role for role in COMMANDS if role not in DEVELOPMENT]
PYTHON = "/opt/diia-signer/.venv/bin/python"


def unit(role):
    return FOLDER / f"diia-signer-{role}.service"


def settings(role):
    """Return the `[Service]` of a unit; what stands there twice is joined."""

    class Joined(dict):
        def __setitem__(self, key, value):
            if isinstance(value, list) and key in self:
                value = [*self[key], *value]
            super().__setitem__(key, value)

    parser = configparser.ConfigParser(dict_type=Joined, strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(unit(role))
    return {key: " ".join(value.split()) for key, value in parser["Service"].items()}


def test_there_is_one_unit_a_process():
    assert {file.name for file in FOLDER.iterdir()} == {unit(role).name for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_runs_what_make_up_runs(role):
    assert settings(role)["ExecStart"] == " ".join(
        [PYTHON, "-m", *COMMANDS[role], "--config", f"/etc/diia-signer/{role}.toml"]
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_process_has_a_user_and_files_of_its_own(role):
    service = settings(role)
    assert service["User"] == f"diia-signer-{role}"
    allowed = set(service["ReadWritePaths"].split())
    own = {f"/var/lib/diia-signer/{role}"}
    assert allowed == own | ({"/var/lib/diia-signer/softhsm"} if role == "vault" else set())
    hidden = {path.lstrip("-") for path in service["InaccessiblePaths"].split()}
    assert hidden >= {f"/var/lib/diia-signer/{other}" for other in ROLES if other != role}
    assert role == "vault" or "/var/lib/diia-signer/softhsm" in hidden


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_gives_time_to_drain_and_writes_no_core(role):
    service = settings(role)
    assert int(service["TimeoutStopSec"]) > 65
    assert (service["LimitCORE"], service["MemorySwapMax"]) == ("0", "0")
    assert service["NoNewPrivileges"] == service["PrivateDevices"] == "yes"
    assert service["CapabilityBoundingSet"] == ""


def test_only_the_vault_is_given_the_pin():
    given = {role for role in ROLES if any("Credential" in key for key in settings(role))}
    assert given == {"vault"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("role", ROLES)
def test_systemd_understands_the_unit(role, tmp_path):
    copy = tmp_path / unit(role).name
    copy.write_text(unit(role).read_text().replace(PYTHON, sys.executable))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (said.returncode, said.stderr) == (0, "")
