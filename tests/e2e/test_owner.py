"""The owner's ways out, through every process (docs/flows: pin-change, emergency, new-phone)."""

import asyncio
import re
from pathlib import Path

import pytest

from deploy.demo.commands import Caller, DemoPhone
from deploy.system import System
from grpc_api.clients.registrar import SandboxPerson
from grpc_api.clients.status import RequestStatus
from portal_web.cli.connection import System as Connection
from tests.e2e.conftest import PIN, Portal

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

NEW_PIN = "90817"
SUSPENDED, RETIRED = 13, 14


@pytest.fixture(scope="module")
def person(system: System, portal: Portal) -> SandboxPerson:
    """Somebody else than the other tests' person: enrolling again takes a phone's place."""

    async def ask() -> tuple[SandboxPerson, ...]:
        async with Connection(system.home.root).sandbox() as sandbox:
            return await sandbox.people()

    usual = [one for one in asyncio.run(ask()) if one.behaviour == "approves"]
    return next(one for one in usual if one != portal.person)


@pytest.fixture
def asker(system: System, person: SandboxPerson) -> Portal:
    return Portal(system.home, person)


def enrol(system: System, person: SandboxPerson, folder: Path) -> tuple[DemoPhone, str]:
    """Return a new phone of the person, and its suspend code."""
    phone = DemoPhone(folder, PIN)
    said = phone.enrol(Caller(system.home).issue_activation_code(person), system.home.deployment)
    (code,) = re.findall(r"suspend code: (\S+)", said)
    return phone, code


def key_of(phone: DemoPhone) -> str:
    (key_id,) = re.findall(r"^Key +([0-9a-f]{32})\b", phone.run("status").stdout, re.M)
    return key_id


def test_new_pin_then_new_phone_then_the_end(
    system: System, person: SandboxPerson, asker: Portal, contract: bytes, tmp_path: Path
) -> None:
    old, old_code = enrol(system, person, tmp_path / "old")
    changed = old.run("pin-change", "--pin-stdin", pin=f"{PIN}\n{NEW_PIN}")
    assert changed.returncode == 0, changed.stderr
    assert old.run("refresh", "--pin-stdin", pin=NEW_PIN).returncode == 0
    assert DemoPhone(old.folder, NEW_PIN).sign(asker.request([contract]))

    waiting = asker.request([contract])
    new, code = enrol(system, person, tmp_path / "new")
    replaced = new.run("replace", key_of(old), "--pin-stdin", pin=PIN)
    assert replaced.returncode == 0, replaced.stderr
    assert asker.status(waiting) is RequestStatus.REPLACED
    successor = asker.successor(waiting)
    new.sign(successor)
    assert asker.status(successor) is RequestStatus.CONSUMED
    assert old.run("refresh", "--pin-stdin", pin=NEW_PIN).returncode == RETIRED

    pinned = ("--deployment", str(system.home.deployment))
    nobody = DemoPhone(tmp_path / "nobody", "")
    wrong = nobody.run("suspend", "--code", "ABCD-EFGH-JKMN-PQRS", *pinned)
    assert (wrong.returncode, code in wrong.stderr) == (20, False)
    by_code = nobody.run("suspend", "--code", code.lower(), *pinned)
    assert by_code.returncode == 0, by_code.stderr
    assert new.run("refresh", "--pin-stdin", pin=PIN).returncode == SUSPENDED
    assert old_code != code


@pytest.mark.parametrize(("command", "exit_code"), [("suspend", SUSPENDED), ("revoke", RETIRED)])
def test_owner_ends_the_key_with_the_pin(
    system: System, person: SandboxPerson, tmp_path: Path, command: str, exit_code: int
) -> None:
    phone, _ = enrol(system, person, tmp_path / "phone")
    assert phone.run(command, "--pin-stdin", pin=NEW_PIN).returncode == 10
    ended = phone.run(command, "--pin-stdin", pin=PIN)
    assert ended.returncode == 0, ended.stderr
    assert phone.run("refresh", "--pin-stdin", pin=PIN).returncode == exit_code
