"""An officer at a terminal: `signer-keys` against real processes, one system for all."""

import re
import time

import pytest

from deploy.demo.commands import Caller, DemoPhone
from grpc_api.clients.status import RequestStatus
from tests.e2e.conftest import PIN
from tests.fakes.officer_desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


@pytest.fixture(scope="session")
def target(system, portal):
    """A person's phone that nobody else needs."""
    phone = DemoPhone(system.home.of("officers-phone"), PIN)
    phone.enrol(Caller(system.home).issue_activation_code(portal.person), system.home.deployment)
    return phone


def test_a_second_first_officer_is_refused_in_one_line(desk):
    done = desk.run("init", "--officer", "mallory")
    assert done.returncode == 32
    assert done.stderr.count("\n") == 1
    assert re.search(r"officers already: .*\bfirst\b", done.stderr)


def test_a_wrong_passphrase_is_one_line(desk, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("another horse battery\n")
    wrong.chmod(0o600)
    done = Desk(desk.home, wrong).run("key", "list")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (31, "", 1)


def test_an_auditor_reads_is_refused_and_audited(desk, auditor):
    assert auditor.json("kek", "status")["newest"].startswith("kek-")
    done = auditor.run("kek", "rotate", "--reason", "drill", "--yes")
    assert done.returncode == 21
    assert "an auditor only reads" in done.stderr
    mass = auditor.run("mass", "refresh", "--vault", "vault-1", "--reason", "drill", "--yes")
    assert (mass.returncode, "an auditor only reads" in mass.stderr) == (21, True)
    for _ in range(50):
        rows = desk.json("audit", "search", "--event", "officer-refused")["rows"]
        if {"start-rotation", "create-job"} <= {row["subject"] for row in rows}:
            break
        time.sleep(0.2)
    assert {(row["actor_id"], row["reason"]) for row in rows} == {("borys", "auditor")}
    assert {"start-rotation", "create-job"} <= {row["subject"] for row in rows}


def test_every_record_moves_to_a_new_kek_and_a_phone_signs(desk, system, portal, target, contract):
    before = desk.json("kek", "status")
    done = desk.json("kek", "rotate", "--reason", "scheduled", "--yes")
    assert done["records_left"] == 0
    assert done["records_moved"] == sum(before["records"].values()) > 0
    old = next(one for one in before["records"] if one != done["kek_id"])
    refused = desk.run("kek", "destroy", old, "--reason", "scheduled", "--confirm", "kek-9")
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (32, True)
    words = ["--reason", "scheduled", "--confirm", old]
    assert desk.json("kek", "destroy", old, *words) == {"kek_id": old, "destroyed": True}
    assert set(desk.json("kek", "status")["records"]) == {done["kek_id"]}
    request_id = portal.request([contract])
    target.sign(request_id)
    assert portal.status(request_id) is RequestStatus.CONSUMED
    desk.json("doctor")  # exit code 0: the vault's self-test, too


def test_a_seal_is_added_and_retired_while_the_vault_serves(desk, auditor):
    name = ["--organisation", "Вигадана громада", "--edrpou", "00000031"]
    name += ["--caller", "acme.internal"]
    refused = auditor.run("seal", "add", "org-31", *name, "--reason", "drill", "--yes")
    assert (refused.returncode, "an auditor only reads" in refused.stderr) == (21, True)
    made = desk.json("seal", "add", "org-31", *name, "--reason", "scheduled", "--yes")["seal"]
    assert (made["state"], made["certificate_status"]) == ("in use", "good")
    assert auditor.json("seal", "show", "org-31")["seal"] == made
    words = ["--reason", "drill", "--confirm", "org-31"]
    ended = desk.json("seal", "retire", "org-31", *words)["seal"]
    assert (ended["state"], ended["certificate_status"]) == ("retired", "revoked")
    again = desk.run("seal", "add", "org-31", *name, "--reason", "scheduled", "--yes")
    assert (again.returncode, "give a new one another name" in again.stderr) == (23, True)
    listed = {one["seal_id"]: one["state"] for one in desk.json("seal", "list")["seals"]}
    assert (listed["org-31"], listed["portal"]) == ("retired", "in use")
    assert desk.run("seal", "show", "org-32").returncode == 20


def test_a_processs_certificate_of_the_ceremony_is_revoked(desk, system):
    path = str(system.home.tls("health") / "cert.pem")  # a command's: no process needs it here
    words = ["--reason", "drill", "--ticket", "DRILL-3", "--yes"]
    first = desk.json("process", "revoke", path, *words)
    assert first["outcome"] == "done"
    assert desk.json("process", "revoke", first["serial"], *words)["outcome"] == "already"
    assert desk.run("process", "revoke", "0a0b", *words).returncode == 20
    assert desk.run("process", "revoke", "no-such-file", *words).returncode == 40


def test_a_key_marked_for_refresh_signs_after_new_shares(desk, portal, target, contract):
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    counted = desk.json("mass", "refresh", "--issued-from", since, "--dry-run")
    assert counted["keys"] >= 1
    words = ["--reason", "key-compromise", "--ticket", "INC-1", "--yes"]
    job = desk.json("mass", "refresh", "--issued-from", since, *words)
    assert job["keys"].get("pending", 0) == 0
    request_id = portal.request([contract])
    said = target.sign(request_id)
    assert "shares are made anew" in said
    assert portal.status(request_id) is RequestStatus.CONSUMED


def test_an_officer_finds_and_revokes_a_key_within_a_minute(desk, portal, target, contract):
    request_id = portal.request([contract])
    began = time.monotonic()
    found = desk.json("user", "find", portal.person.person_code)["keys"]
    assert found[0]["status"] == "active"
    words = ["--reason", "phone-lost", "--ticket", "INC-2", "--yes"]
    key = found[0]["key_id"]
    ended = desk.json("user", "revoke", portal.person.person_code, "--key", key, *words)
    assert time.monotonic() - began < 60
    assert (ended["keys"], ended["requests_closed"]) == ({key: "done"}, 1)
    assert portal.status(request_id) is RequestStatus.BURNED
    shown = desk.json("key", "show", key)["key"]
    assert (shown["status"], shown["ended_by"]) == ("retired", "officer")
    assert "by an officer" in target.run("status").stdout
    again = desk.run("user", "revoke", portal.person.person_code, "--key", key, *words)
    assert again.returncode == 20


def test_the_log_has_it_all_and_verifies(desk, tmp_path):
    folder = tmp_path / "export"
    for _ in range(50):  # a checkpoint comes within seconds
        if desk.run("audit", "verify").returncode == 0:
            break
        time.sleep(0.5)
    desk.json("audit", "export", str(folder))
    assert desk.json("audit", "verify", str(folder))["whole"]
    rows = desk.json("audit", "search", "--event", "officer-key", "--subject", "INC-2")["rows"]
    assert [(row["result"], row["actor_id"]) for row in rows] == [("revoked", "first")]
    events = folder / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"revoked", b"revokeD", 1))
    done = desk.run("audit", "verify", str(folder))
    assert done.returncode == 22


def test_dead_letters_are_listed_and_replayed_by_officers(desk, auditor):
    assert desk.json("deadletter", "list") == {"dead_letters": []}
    assert auditor.json("deadletter", "list", "--limit", "5") == {"dead_letters": []}
    replay = ("deadletter", "replay", "--reason", "scheduled", "--yes")
    assert "no such job" in desk.json(*replay, "ab" * 16, code=20)["error"]
    assert desk.json(*replay, "--about", "nobody", code=20)
    assert "32 hex" in desk.json(*replay, "xyz", code=23)["error"]
    assert "one job" in desk.json(*replay, code=23)["error"]
    assert "auditor" in auditor.json(*replay, "ab" * 16, code=21)["error"]


def test_a_removed_officer_is_out_within_seconds(desk, auditor):
    desk.json("officer", "remove", "borys", "--reason", "staff-change", "--yes")
    assert auditor.run("kek", "status").returncode == 21
    time.sleep(5)  # what the signer remembers of officers
    assert auditor.run("user", "find", "3224410107").returncode == 21
    people = {one["officer_id"]: one for one in desk.json("officer", "list")["officers"]}
    assert (people["borys"]["active"], people["first"]["active"]) == (False, True)


def test_the_doctor_examines_every_process(desk):
    done = desk.run("doctor")
    assert done.returncode in (0, 60), done.stdout
    assert {"vault", "signer", "registrar"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line
    }
