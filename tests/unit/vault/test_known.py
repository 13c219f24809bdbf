"""A second of the database's clock that was read goes on by this process's steady clock."""

import pytest

from hsm_module.storage import known
from hsm_module.storage.known import DatabaseTime


@pytest.mark.parametrize(("later_s", "seconds"), [(0, 0), (0.9, 0), (1.2, 1), (61, 61)])
def test_it_goes_on(monkeypatch, later_s, seconds):
    read = DatabaseTime(1_000_000)
    monkeypatch.setattr(known.time, "monotonic", lambda: read.steady_s + later_s)
    assert read.now_s() == 1_000_000 + seconds
