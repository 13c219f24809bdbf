"""The vault without a good token: one clear line and a non-zero exit, never a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import setup
from deploy.home import REPOSITORY, Home

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    setup.prepare(Home(root), lambda line: None)
    return root


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Home:
    """A home of its own, that the test may break."""
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    for file in (copy / "vault/vault.toml", copy / "softhsm/softhsm2.conf"):
        file.write_text(file.read_text().replace(str(made), str(copy)))
    return Home(copy)


def _refusal(home: Home, code: int = 1) -> str:
    vault = subprocess.run(
        [sys.executable, "-m", "hsm_module", "--config", str(home.settings("vault"))],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=REPOSITORY,
        check=False,
    )
    assert vault.returncode == code
    (line,) = vault.stderr.strip().splitlines()
    return line


def test_token_missing(home: Home) -> None:
    shutil.rmtree(home.of("softhsm") / "tokens")
    assert "token" in _refusal(home)


def test_token_without_its_keys(home: Home) -> None:
    for file in (home.of("softhsm") / "tokens").rglob("*.object"):
        if file.name != "token.object":
            file.unlink()
    assert "token" in _refusal(home)


def test_keys_damaged(home: Home) -> None:
    keys = [
        file
        for file in (home.of("softhsm") / "tokens").rglob("*.object")
        if file.name != "token.object"
    ]
    for file in keys:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)
    assert _refusal(home)


def test_token_object_emptied_comes_back_from_its_copy(home: Home) -> None:
    (token,) = (home.of("softhsm") / "tokens").rglob("token.object")
    token.write_bytes(b"")
    (home.of("vault") / "token-pin").write_text("wrong\n")  # so that the vault ends by itself
    assert "PIN" in _refusal(home, 78)
    assert token.read_bytes() != b""


def test_wrong_pin(home: Home) -> None:
    (home.of("vault") / "token-pin").write_text("wrong\n")
    assert "PIN" in _refusal(home, 78)  # the supervisor does not try again


def test_pin_that_others_can_read(home: Home) -> None:
    (home.of("vault") / "token-pin").chmod(0o644)
    assert "PIN" in _refusal(home)


def test_no_settings(tmp_path: Path) -> None:
    assert "cannot be read" in _refusal(Home(tmp_path))
