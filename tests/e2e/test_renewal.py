"""Renewals through every process: what is good for a year is refused (docs/flows/renewal.md)."""

import asyncio
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader

from deploy import setup
from deploy.demo.commands import Caller, DemoPhone
from deploy.home import Home
from deploy.system import System, running
from grpc_api.clients.status import RequestStatus
from grpc_api.jobs.settings import WorkerSettings
from grpc_api.process_certificate import ask_vault, make_csr
from grpc_api.registrar import RegistrarSettings
from grpc_api.settings import TlsSettings, load_settings
from grpc_api.signer import SignerSettings
from portal_web.settings import PortalSettings
from signer_core.errors import DeniedError, InvalidRequestError
from tests.e2e.conftest import PIN, Portal

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

SETTINGS = {
    "signer": SignerSettings,
    "registrar": RegistrarSettings,
    "portal": PortalSettings,
    "worker": WorkerSettings,
}


def tls_of(system: System, role: str) -> TlsSettings:
    return load_settings(SETTINGS[role], system.home.of(role) / f"{role}.toml").tls


def ask(tls: TlsSettings) -> None:
    shown = x509.load_pem_x509_certificates(tls.cert.read_bytes())[0]
    asyncio.run(ask_vault(tls)(shown, make_csr(tls.key)))


def test_a_certificate_that_is_good_for_a_year_is_not_renewed(phone: DemoPhone) -> None:
    assert "signer-phone renew" not in phone.run("status").stdout
    refused = phone.run("renew", "--pin-stdin", pin=PIN)
    assert (refused.returncode, "enew it from" in refused.stderr) == (23, True), refused.stderr


def test_a_person_renews_a_certificate_that_ends_within_30_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contract: bytes
) -> None:
    """Nobody's clock is turned: in this system people's certificates are good for 20 days."""
    usual = setup._vault
    monkeypatch.setattr(
        setup, "_vault", lambda home, at: {**usual(home, at), "certificate_days": 20}
    )
    home = Home(tmp_path / "short")
    with running(home, lambda _: None):
        caller = Caller(home)
        portal = Portal(home, caller.find_person("approves"))
        person = DemoPhone(home.of("phone"), PIN)
        person.enrol(caller.issue_activation_code(portal.person), home.deployment)
        assert "signer-phone renew" in person.run("status").stdout
        waiting = portal.request([contract])
        before = certificate_of(portal, person, contract)
        renewed = person.run("renew", "--pin-stdin", pin=PIN)
        assert renewed.returncode == 0, renewed.stderr
        after = certificate_of(portal, person, contract)
        assert after.serial_number != before.serial_number
        assert after.public_key() == before.public_key()
        assert after.subject == before.subject
        assert after.not_valid_after_utc > before.not_valid_after_utc
        assert portal.status(waiting) is RequestStatus.REPLACED
        person.sign(portal.successor(waiting))  # what waited goes on under the new one


def certificate_of(portal: Portal, person: DemoPhone, contract: bytes) -> x509.Certificate:
    """Return the certificate that a signature of now is under."""
    request_id = portal.request([contract])
    person.sign(request_id)
    signed = PdfFileReader(BytesIO(portal.signed(request_id)))
    return x509.load_der_x509_certificate(signed.embedded_signatures[0].signer_cert.dump())


@pytest.mark.parametrize("role", SETTINGS)
def test_every_process_may_ask_for_its_own_certificate(system: System, role: str) -> None:
    with pytest.raises(InvalidRequestError, match="renew it from"):
        ask(tls_of(system, role))


def test_a_command_may_not(system: System) -> None:
    health = system.home.tls("health")
    files = {"cert": health / "cert.pem", "key": health / "key.pem", "ca": health / "ca.pem"}
    with pytest.raises(DeniedError):
        ask(tls_of(system, "worker").model_copy(update=files))
