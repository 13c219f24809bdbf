"""A phone that was copied: the vault sees it, and somebody has a mail and a webhook at once."""

import hashlib
import hmac
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from deploy import readiness
from deploy.demo.commands import Caller, DemoPhone
from deploy.system import System
from grpc_api.jobs.webhook import SIGNATURE
from tests.e2e.conftest import PIN, Portal
from tests.e2e.test_audit import read_rows

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

SECRET = "a secret of this test"
SUSPENDED = 13  # exit code of signer-phone
_LIMIT_S = 60


def soon(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _LIMIT_S
    while not (what := found()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return what


def restart_worker(system: System) -> None:
    def pid() -> int:
        return next(one.pid for one in system.supervisor.find_processes() if one.name == "worker")

    before = pid()
    os.kill(before, signal.SIGTERM)
    soon(lambda: pid() not in (0, before))
    readiness.wait_until_serving(system.home, system.ports, system.supervisor)


@pytest.fixture
def told(
    system: System, mail_server: Any, web_server: Any, tmp_path: Path
) -> Iterator[tuple[list[Any], list[Any]]]:
    """What the system's worker sends: mails, and what was posted. Later it sends none again."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    settings = system.home.settings("worker")
    usual = settings.read_text()
    url = f"http://127.0.0.1:{web_server.server_port}/alerts"
    changed = usual
    for line, value in {
        'server = ""': f'server = "127.0.0.1:{mail_server.port}"',
        "starttls = true": "starttls = false",
        "recipients = []": 'recipients = ["duty@example.org"]',
        'url = ""': f'url = "{url}"\nsecret_file = "{secret}"',
    }.items():
        assert changed.count(f"\n{line}") == 1
        changed = changed.replace(f"\n{line}", f"\n{value}")
    settings.write_text(changed)
    restart_worker(system)
    yield mail_server.mails, web_server.received
    settings.write_text(usual)
    restart_worker(system)


def test_a_copied_phone_is_told_by_mail_and_by_a_signed_webhook(
    system: System,
    portal: Portal,
    told: tuple[list[Any], list[Any]],
    contract: bytes,
    tmp_path: Path,
) -> None:
    phone = DemoPhone(tmp_path / "phone", PIN)
    phone.enrol(Caller(system.home).issue_activation_code(portal.person), system.home.deployment)
    copy = DemoPhone(tmp_path / "copy", PIN)
    shutil.copytree(phone.folder, copy.folder)
    for _ in range(2):  # one session more might be a lost reply
        phone.sign(portal.request([contract]))
    tried = copy.run("sign", portal.request([contract]), "--pin-stdin", pin=PIN)
    assert tried.returncode == SUSPENDED, tried.stderr

    mails, posts = told

    def about_it() -> tuple[Any, Any] | None:
        found = [one for one in mails if b"key-suspended suspended clone" in one.content]
        posted = [one for one in posts if json.loads(one[1])["reason"] == "clone"]
        return (found[0], posted[0]) if found and posted else None

    envelope, (headers, body) = soon(about_it)
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={signature}"
    row = json.loads(body)
    logged = {one["seq"]: one for one in read_rows(system.home.of("audit") / "signer")}
    assert row == logged[row["seq"]]
    assert (row["event"], row["result"]) == ("key-suspended", "suspended")
    assert envelope.rcpt_tos == ["duty@example.org"]
    text = message_from_bytes(envelope.content).get_payload()
    assert f"key_id: {row['key_id']}" in text
    for private in (portal.person.person_code, portal.person.full_name_uk, PIN):
        assert private not in text + body.decode()

    def delivered() -> bool:
        rows = read_rows(system.home.of("audit") / "signer")
        about = [one for one in rows if one.get("subject") == str(row["seq"])]
        return {(one["event"], one["result"], one.get("reason")) for one in about} >= {
            ("alert", "delivered", "mail"),
            ("alert", "delivered", "webhook"),
        }

    soon(delivered)
