"""The vault as a process of its own: SoftHSM, mutual TLS, the phone's channel inside the relay."""

import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from deploy import setup
from deploy.home import REPOSITORY, Home
from grpc_api.clients.vault import VaultRequestsClient
from grpc_api.settings import load_settings
from hsm_module.settings import VaultSettings
from signer_core.errors import DeniedError, PinRejectedError
from signer_core.identifiers import RequestId
from signer_core.ports import RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_process import Deployment

pytestmark = pytest.mark.softhsm


@pytest.fixture(scope="module")
def deployment(tmp_path_factory) -> Deployment:
    home = Home(tmp_path_factory.mktemp("deployment"))
    setup.prepare(home, lambda line: None)
    return Deployment(home)


async def test_a_key_is_enrolled_certified_and_signs_through_the_process(deployment):
    async with deployment.running(), deployment.grpc() as grpc_channel:
        phone = await deployment.enrol(grpc_channel)
        registration = deployment.registration(phone)
        await VaultRequestsClient(grpc_channel).register(registration)
        ask = deployment.ask_for(phone, registration)
        wrong = await deployment.signing(grpc_channel, phone, ask)
        await wrong.to_openings()
        with pytest.raises(PinRejectedError) as rejected:
            await wrong.sign(Scalar((phone.x2 + 1) % Q))
        assert rejected.value.attempts_left == 8
        assert wrong.link.consumed == {}
        right = await deployment.signing(grpc_channel, phone, ask)
        await right.run()
    async with deployment.running(), deployment.grpc() as grpc_channel:  # a restart forgets nothing
        result = await VaultRequestsClient(grpc_channel).result(registration.request_id)
        certificate = x509.load_der_x509_certificate(deployment.chains[phone.key_id].certificate)
        assert result.state is RequestState.CONSUMED
        assert right.link.consumed == {registration.request_id: result.items}  # it was told
        certificate.public_key().verify(
            result.items[0].signature, result.items[0].data, ec.ECDSA(SHA256())
        )


async def test_only_the_signer_may_call(deployment):
    async with deployment.running(), deployment.grpc("portal") as grpc_channel:
        with pytest.raises(DeniedError):
            await VaultRequestsClient(grpc_channel).result(RequestId(bytes(16)))


def refusal(deployment: Deployment) -> str:
    process = deployment.start()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    (line,) = said.strip().splitlines()
    return line


def test_a_taken_port_is_one_clear_line(deployment):
    host, port = deployment.settings.listen.split(":")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, int(port)))
        taken.listen()
        assert "cannot listen" in refusal(deployment)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("session_ttl_s = ", "no_such_setting = ", "session_ttl_s"),
        ("listen = ", "listen ", "TOML"),
        ("registrar.pem", "root.pem", "public key"),
        ("registrar.pem", "missing.pem", "cannot be read"),
        ("ca-chain.pem", "root.pem", "not one"),
        ("vault.db", "no/such/folder/vault.db", "database"),
    ],
)
def test_broken_settings_are_one_clear_line(deployment, old, new, word):
    path: Path = deployment.home.settings("vault")
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))
    try:
        assert word in refusal(deployment)
    finally:
        path.write_text(before)


def test_the_example_settings_load():
    example = REPOSITORY / "deploy" / "examples" / "vault.example.toml"
    assert load_settings(VaultSettings, example).vault_id == "vault-1"
