"""A moving window: so many in any sixty seconds, by key."""

import pytest

from grpc_api.servers.last_minute import LastMinute


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("grpc_api.servers.last_minute.time.monotonic", lambda: now[0])
    return now


def test_a_key_has_its_share_and_no_more(clock: list[float]) -> None:
    window = LastMinute(2)
    assert [window.hit("a") for _ in range(3)] == [True, True, False]
    assert window.hit("b")


def test_the_window_moves_with_each_event(clock: list[float]) -> None:
    window = LastMinute(2)
    assert window.hit("a")
    clock[0] += 40
    assert window.hit("a")
    clock[0] += 20
    assert [window.hit("a"), window.hit("a")] == [True, False]


def test_nothing_is_remembered_of_a_key_after_its_minute(clock: list[float]) -> None:
    window = LastMinute(2)
    for key in range(100):
        assert window.hit(key)
    clock[0] += 60
    assert window.hit("a")
    assert (len(window._counts), len(window._events)) == (1, 1)
