import os
from pathlib import Path

import pytest

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.site import find_module, read_pin


def write_pin(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_pin_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert read_pin(write_pin(tmp_path / "pin", "1234abcd\n")).get_secret_value() == "1234abcd"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_pin_file_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(TokenFaultError, match="0600"):
        read_pin(write_pin(tmp_path / "pin", "1234abcd", mode))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_pin_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = write_pin(tmp_path / "pin", "1234abcd")
    os.chown(path, 65534, 65534)
    with pytest.raises(TokenFaultError, match="your user"):
        read_pin(path)


def test_a_link_to_a_pin_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(write_pin(tmp_path / "pin", "1234abcd"))
    with pytest.raises(TokenFaultError):
        read_pin(tmp_path / "link")


def test_an_empty_or_missing_pin_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenFaultError, match="empty"):
        read_pin(write_pin(tmp_path / "pin", "\n"))
    with pytest.raises(TokenFaultError, match="cannot be read"):
        read_pin(tmp_path / "nowhere")


def test_a_pin_is_never_printed(tmp_path: Path) -> None:
    assert "1234abcd" not in repr(read_pin(write_pin(tmp_path / "pin", "1234abcd")))


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenFaultError, match="--module") as caught:
        find_module(tmp_path / "none.so", {})
    assert caught.value.fault is TokenFault.SETTINGS


def test_the_option_wins_over_the_environment(tmp_path: Path) -> None:
    given, named = tmp_path / "given.so", tmp_path / "named.so"
    given.touch()
    named.touch()
    assert find_module(given, {"SOFTHSM2_MODULE": str(named)}) == given
    assert find_module(None, {"SOFTHSM2_MODULE": str(named)}) == named
