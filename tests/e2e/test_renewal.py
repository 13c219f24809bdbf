"""Renewals through every process: what is good for a year is refused (docs/flows/renewal.md)."""

import asyncio

import pytest
from cryptography import x509

from deploy.demo.commands import DemoPhone
from deploy.system import System
from grpc_api.jobs.settings import WorkerSettings
from grpc_api.process_certificate import ask_vault, make_csr
from grpc_api.registrar import RegistrarSettings
from grpc_api.settings import TlsSettings, load_settings
from grpc_api.signer import SignerSettings
from portal_web.settings import PortalSettings
from signer_core.errors import DeniedError, InvalidRequestError
from tests.e2e.conftest import PIN

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


@pytest.mark.parametrize("role", SETTINGS)
def test_every_process_may_ask_for_its_own_certificate(system: System, role: str) -> None:
    with pytest.raises(InvalidRequestError, match="renew it from"):
        ask(tls_of(system, role))


def test_a_command_may_not(system: System) -> None:
    health = system.home.tls("health")
    files = {"cert": health / "cert.pem", "key": health / "key.pem", "ca": health / "ca.pem"}
    with pytest.raises(DeniedError):
        ask(tls_of(system, "worker").model_copy(update=files))
