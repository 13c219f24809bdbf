import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import ports


@contextmanager
def _listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_the_same_ports_come_back(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    assert ports.choose(file) == ports.choose(file) == ports.load(file)


def test_a_port_that_another_program_took_moves_all(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    before = ports.choose(file)
    with _listening(before["vault"]):
        after = ports.choose(file)
    assert set(after.values()).isdisjoint(before.values())


def test_two_homes_get_different_ports_while_one_runs(tmp_path: Path) -> None:
    first = ports.choose(tmp_path / "one" / "ports.json")
    with _listening(first["phone"]):
        second = ports.choose(tmp_path / "two" / "ports.json")
    assert set(first.values()).isdisjoint(second.values())


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("{")
    assert ports.choose(file) == ports.load(file) != {}
