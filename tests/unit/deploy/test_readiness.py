"""A system that does not start in time says which process is late, and what it said last."""

import pytest

from deploy import readiness
from deploy.home import Home
from deploy.supervision import ProcessState, StartError


class Running:
    """A supervisor whose processes all run."""

    def find_processes(self):
        return [ProcessState("signer-2", 1, "RUNNING")]


def test_a_late_process_is_named_with_its_last_words(tmp_path, monkeypatch):
    home = Home(tmp_path)
    tls = home.tls("health")
    tls.mkdir(parents=True)
    for name in ("ca.pem", "key.pem", "cert.pem"):
        (tls / name).write_bytes(b"")
    home.logs.mkdir(parents=True)
    (home.logs / "signer-2.jsonl").write_text(
        '{"event": "first"}\n{"event": "waiting-for-vault"}\n'
    )
    monkeypatch.setattr(readiness, "_DEADLINE_S", -1)
    monkeypatch.setattr(readiness, "_serves", lambda *_: False)
    with pytest.raises(StartError) as raised:
        readiness.wait_until_serving(home, {"internal-2": 1}, Running())
    assert "internal-2 did not start in time" in str(raised.value)
    assert 'signer-2 last said: {"event": "waiting-for-vault"}' in str(raised.value)
