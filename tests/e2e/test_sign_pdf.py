"""docs/flows/sign-pdf.md, through every process and the phone's own command."""

from pathlib import Path

import pytest

from deploy.demo import checks, unpacked
from deploy.demo.commands import DemoPhone
from deploy.system import System
from grpc_api.clients.status import RequestStatus
from tests.e2e.conftest import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

WRONG_PIN = "90417"
PIN_REJECTED = 10  # exit code of signer-phone
DEFECT = 1


def _verdicts(signed: bytes, folder: Path) -> dict[str, bool | None]:
    """Let every tool look at a signed PDF; `folder` is the fixture `apart`."""
    (folder / "signed.pdf").write_bytes(signed)
    unpacked.write(folder, unpacked.unpack(signed), (folder / "chain.pem").read_bytes())
    return {verdict.tool: verdict.passed for verdict in checks.check_all(folder)}


def _sign(portal: Portal, phone: DemoPhone, pdf: bytes, *, visible: bool = False) -> bytes:
    request_id = portal.request([pdf], visible=visible)
    phone.sign(request_id)
    return portal.signed(request_id)


def test_a_signed_pdf_is_accepted_by_pdfsig_nss_and_openssl(
    portal: Portal, phone: DemoPhone, contract: bytes, apart: Path
) -> None:
    assert set(_verdicts(_sign(portal, phone, contract, visible=True), apart).values()) == {True}


def test_a_changed_pdf_is_accepted_by_nobody(
    portal: Portal, phone: DemoPhone, contract: bytes, apart: Path
) -> None:
    changed = bytearray(_sign(portal, phone, contract))
    changed[len(contract) // 2] ^= 1
    assert _verdicts(bytes(changed), apart) == {
        "pdfsig": False,
        "certutil -V (NSS)": True,  # the certificate itself is still good
        "openssl verify -x509_strict": True,
        "openssl cms -verify -cades": False,
    }


def test_several_pdfs_under_one_pin(
    portal: Portal, phone: DemoPhone, contract: bytes, apart: Path
) -> None:
    request_id = portal.request([contract] * 3, visible=True)
    phone.sign(request_id)
    for index in range(3):
        assert set(_verdicts(portal.signed(request_id, index), apart).values()) == {True}


def test_an_earlier_signature_stays_valid(
    portal: Portal, phone: DemoPhone, contract: bytes, apart: Path
) -> None:
    once = _sign(portal, phone, contract)
    twice = _sign(portal, phone, once)
    assert twice.startswith(once)
    assert set(_verdicts(twice, apart).values()) == {True}


def test_a_wrong_pin_signs_nothing_and_the_owner_is_told(
    portal: Portal, phone: DemoPhone, contract: bytes
) -> None:
    request_id = portal.request([contract])
    failed = phone.run("sign", request_id, "--pin-stdin", pin=WRONG_PIN)
    assert failed.returncode == PIN_REJECTED
    assert "8 attempts left" in failed.stderr
    assert portal.status(request_id) is RequestStatus.OPEN
    assert "1 wrong PIN" in phone.sign(request_id)


def test_a_declined_request_cannot_be_signed(
    portal: Portal, phone: DemoPhone, contract: bytes
) -> None:
    request_id = portal.request([contract])
    assert phone.run("decline", request_id, "--reason", "не моє").returncode == 0
    tried = phone.run("sign", request_id, "--pin-stdin", pin=phone.pin)
    assert tried.returncode not in {0, DEFECT}
    assert portal.status(request_id) is RequestStatus.DECLINED


def test_a_request_is_signed_once(portal: Portal, phone: DemoPhone, contract: bytes) -> None:
    request_id = portal.request([contract])
    phone.sign(request_id)
    first = portal.signed(request_id)
    again = phone.run("sign", request_id, "--pin-stdin", pin=phone.pin)
    assert again.returncode not in {0, DEFECT}
    assert portal.signed(request_id) == first


def test_logs_hold_no_pin_and_no_person(
    system: System, portal: Portal, phone: DemoPhone, contract: bytes
) -> None:
    _sign(portal, phone, contract)
    logs = [log for log in system.home.logs.iterdir() if log.suffix == ".jsonl"]
    assert len(logs) == 6
    for log in logs:
        text = log.read_text()
        assert "timestamp" in text
        for secret in (phone.pin, portal.person.full_name_uk, portal.person.person_code):
            assert secret not in text
