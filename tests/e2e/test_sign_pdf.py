"""docs/flows/sign-pdf.md, through every process and the commands that people use."""

import os
import signal
import time
from pathlib import Path

import pytest

from deploy.demo import checks, unpacked
from deploy.demo.commands import Caller, DemoPhone
from deploy.home import Home
from deploy.system import System
from grpc_api.clients.registrar import SandboxPerson

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

WRONG_PIN = "90417"
PIN_REJECTED = 10  # exit codes of signer-phone


def _sign(caller: Caller, phone: DemoPhone, request_id: str, folder: Path) -> list[Path]:
    phone.sign(request_id)
    return caller.fetch(request_id, folder)


def _take_apart(signed: Path, home: Home, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "signed.pdf").write_bytes(signed.read_bytes())
    chain = (home.public / "ca-chain.pem").read_bytes() + (home.public / "root.pem").read_bytes()
    unpacked.write(folder, unpacked.unpack(signed.read_bytes()), chain)


def _accepted_by_everybody(signed: Path, home: Home, folder: Path) -> bool:
    _take_apart(signed, home, folder)
    verdicts = checks.check_all(folder)
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    ours = Caller(home).verify(signed)
    assert ours.returncode == 0, ours.stdout
    return True


def test_a_signed_pdf_is_accepted_by_pdfsig_openssl_and_us(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    request_id = caller.request(person, [contract])
    (signed,) = _sign(caller, phone, request_id, tmp_path)
    assert _accepted_by_everybody(signed, system.home, tmp_path / "apart")


def test_a_changed_pdf_is_accepted_by_nobody(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    request_id = caller.request(person, [contract], visible=False)
    (signed,) = _sign(caller, phone, request_id, tmp_path)
    content = bytearray(signed.read_bytes())
    content[len(contract.read_bytes()) // 2] ^= 1
    signed.write_bytes(content)
    _take_apart(signed, system.home, tmp_path / "apart")
    by_tool = {verdict.tool: verdict.passed for verdict in checks.check_all(tmp_path / "apart")}
    assert by_tool == {
        "pdfsig": False,
        "certutil -V (NSS)": True,  # the certificate itself is still good
        "openssl verify -x509_strict": True,
        "openssl cms -verify -cades": False,
    }
    assert caller.verify(signed).returncode == 1


def test_several_pdfs_under_one_pin(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"contract-{number}.pdf")
        files[-1].write_bytes(contract.read_bytes())
    signed = _sign(caller, phone, caller.request(person, files), tmp_path / "out")
    assert len(signed) == 3
    for number, one in enumerate(signed):
        assert _accepted_by_everybody(one, system.home, tmp_path / f"apart-{number}")


def test_an_earlier_signature_stays_valid(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    (once,) = _sign(caller, phone, caller.request(person, [contract]), tmp_path / "one")
    request_id = caller.request(person, [once], visible=False)
    (twice,) = _sign(caller, phone, request_id, tmp_path / "two")
    assert twice.read_bytes().startswith(once.read_bytes())
    assert _accepted_by_everybody(twice, system.home, tmp_path / "apart")


def test_a_wrong_pin_signs_nothing_and_the_owner_is_told(
    caller: Caller, person: SandboxPerson, phone: DemoPhone, contract: Path, tmp_path: Path
) -> None:
    request_id = caller.request(person, [contract])
    failed = phone.run("sign", request_id, "--pin-stdin", pin=WRONG_PIN)
    assert failed.returncode == PIN_REJECTED
    assert "8 attempts left" in failed.stderr
    assert caller.status(request_id) == "open"
    again = caller.request(person, [contract])
    assert "1 wrong PIN" in phone.sign(again)


def test_a_declined_request_cannot_be_signed(
    caller: Caller, person: SandboxPerson, phone: DemoPhone, contract: Path
) -> None:
    request_id = caller.request(person, [contract])
    assert phone.run("decline", request_id, "--reason", "не моє").returncode == 0
    assert caller.status(request_id) == "declined"
    assert phone.run("sign", request_id, "--pin-stdin", pin=phone.pin).returncode not in {0, 1}
    assert caller.status(request_id) == "declined"


def test_a_request_is_signed_once(
    caller: Caller, person: SandboxPerson, phone: DemoPhone, contract: Path, tmp_path: Path
) -> None:
    request_id = caller.request(person, [contract])
    (first,) = _sign(caller, phone, request_id, tmp_path / "first")
    again = phone.run("sign", request_id, "--pin-stdin", pin=phone.pin)
    assert again.returncode not in {0, 1}
    (second,) = caller.fetch(request_id, tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()


def test_signing_goes_on_after_the_vault_was_killed(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    request_id = caller.request(person, [contract])
    killed = _vault_pid(system)
    os.kill(killed, signal.SIGKILL)
    _wait_for_another_vault(system, killed)
    (signed,) = _sign(caller, phone, request_id, tmp_path)
    assert caller.verify(signed).returncode == 0


def _vault_pid(system: System) -> int:
    (vault,) = (one for one in system.supervisor.find_processes() if one.name == "vault")
    return vault.pid if vault.state == "RUNNING" else 0


def _wait_for_another_vault(system: System, killed: int) -> None:
    deadline = time.monotonic() + 30
    while _vault_pid(system) in {0, killed}:
        assert time.monotonic() < deadline, "the supervisor did not start the vault again"
        time.sleep(0.2)


def test_logs_hold_no_pin_and_no_name(
    system: System,
    caller: Caller,
    person: SandboxPerson,
    phone: DemoPhone,
    contract: Path,
    tmp_path: Path,
) -> None:
    _sign(caller, phone, caller.request(person, [contract]), tmp_path)
    for log in system.home.logs.iterdir():
        text = log.read_text(errors="replace")
        assert phone.pin not in text
        assert person.full_name_uk not in text
        assert person.person_code not in text
