"""Certificates of processes, renewed over real mutual TLS while they run (ADR 13)."""

import asyncio
import signal
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)

from grpc_api import process_certificate
from grpc_api.credentials import internal_server_credentials
from grpc_api.process_certificate import ask_vault, renew_if_due, renewing
from grpc_api.server import listen, make_internal_server
from grpc_api.servers.vault_processes import SERVICE, add_vault_processes
from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.processes import Processes
from hsm_module.storage.statuses import CertificateName
from hsm_module.trust.status import record_issued, set_status
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError, VerificationError
from signer_core.pki.status import Reason, Status
from signer_core.ports import CertificateChain
from tests.fakes.process_tls import issue, tls_of


@pytest.fixture
def processes(world):
    infrastructure = world.authorities.infrastructure
    return Processes(world.vault.context.store, world.token, infrastructure, world.clock.now)


@pytest.fixture
async def vault(world, processes, tmp_path):
    """Return the address of a vault's listener."""
    tls = await tls_of(world, tmp_path / "vault", "vault.internal")
    server = make_internal_server({SERVICE: ("worker.internal",)})
    add_vault_processes(server, processes)
    port = listen(server, "127.0.0.1:0", internal_server_credentials(tls))
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture
async def near(world, vault, tmp_path):
    """A worker whose certificate ends in 20 days."""
    tls = await tls_of(world, tmp_path / "worker", "worker.internal", "localhost", days=20)
    return tls.model_copy(update={"vault_addresses": (vault,)})


def leaf(tls):
    return x509.load_pem_x509_certificates(tls.cert.read_bytes())[0]


async def renew(tls):
    return await renew_if_due(tls, tls.cert.read_bytes(), ask_vault(tls), datetime.now(UTC))


def csr_of(tls):
    return process_certificate.make_csr(tls.key)


async def test_a_process_gets_its_own_names_and_key_for_another_year(world, near, tmp_path):
    before = leaf(near)
    assert await renew(near)
    after = leaf(near)
    names = x509.SubjectAlternativeName
    assert after.public_key() == before.public_key()
    for kind in (names, x509.ExtendedKeyUsage, x509.KeyUsage):
        one, other = (c.extensions.get_extension_for_class(kind) for c in (before, after))
        assert one == other
    assert (after.not_valid_after_utc - datetime.now(UTC)).days in (364, 365)
    infrastructure = world.authorities.infrastructure.public_bytes(Encoding.PEM)
    (tmp_path / "ca").write_bytes(infrastructure)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", near.ca, "-untrusted", "ca"]
    subprocess.run([*command, near.cert], cwd=tmp_path, check=True)
    async with world.vault.context.store.reading() as transaction:
        name = CertificateName.of(INFRASTRUCTURE, after.serial_number)
        assert (await transaction.statuses.get(name)).kind == "process"
    assert not await renew(near)  # by the new certificate's connection: it is not due
    assert sorted(one.name for one in near.cert.parent.iterdir()) == [
        "ca.pem",
        "cert.pem",
        "key.pem",
    ]


async def test_more_than_30_days_before_the_end_nobody_is_asked_and_the_vault_refuses(
    world, vault, processes, tmp_path
):
    tls = await tls_of(world, tmp_path / "worker", "worker.internal", days=31)
    assert not await renew(tls)
    with pytest.raises(InvalidRequestError, match="renew it from"):
        await processes.renew(leaf(tls), csr_of(tls))


async def test_who_is_not_on_the_allow_list_gets_none(world, vault, tmp_path):
    tls = await tls_of(world, tmp_path / "other", "health.internal", days=20)
    before = tls.cert.read_bytes()
    with pytest.raises(DeniedError):
        await renew(tls.model_copy(update={"vault_addresses": (vault,)}))
    assert tls.cert.read_bytes() == before


async def test_another_key_is_not_certified(world, near, processes, tmp_path):
    other = await tls_of(world, tmp_path / "other", "portal.internal", days=20)
    with pytest.raises(DeniedError, match="own key"):
        await processes.renew(leaf(near), csr_of(other))


async def test_after_its_end_none_is_renewed(world, near, processes):
    world.clock.ahead_s = 21 * 24 * 3600
    with pytest.raises(NotFoundError, match="run out"):
        await processes.renew(leaf(near), csr_of(near))


async def test_a_revoked_certificate_is_not_renewed(world, near):
    async with world.vault.context.store.transaction() as transaction:
        await record_issued(transaction, INFRASTRUCTURE, leaf(near), "process")
        name = CertificateName.of(INFRASTRUCTURE, leaf(near).serial_number)
        await set_status(transaction, name, Status.REVOKED, Reason.KEY_COMPROMISE)
    with pytest.raises(DeniedError, match="not renewed"):
        await renew(near)


@pytest.mark.parametrize(("names", "why"), [(("portal.internal",), "names"), ((), "key")])
async def test_a_process_stores_no_certificate_of_another(world, near, names, why):
    key = ec.generate_private_key(ec.SECP256R1())
    if names:
        key = load_pem_private_key(near.key.read_bytes(), None)
    wrong = await issue(world, key, *(names or ("worker.internal", "localhost")))
    before = near.cert.read_bytes()

    async def ask(_shown, _csr):
        der = Encoding.DER
        above = world.authorities.infrastructure.public_bytes(der)
        return CertificateChain(wrong.public_bytes(der), (above,))

    with pytest.raises(VerificationError, match=why):
        await renew_if_due(near, before, ask, datetime.now(UTC))
    assert near.cert.read_bytes() == before


async def test_a_process_ends_in_order_once_its_certificate_is_new(near, monkeypatch):
    monkeypatch.setattr(process_certificate, "FIRST_S", 0)
    monkeypatch.setattr(process_certificate, "SPREAD_S", 1)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    try:
        async with renewing(near, ask_vault(near)):
            await asyncio.wait_for(told.wait(), 10)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
    assert (leaf(near).not_valid_after_utc - datetime.now(UTC)).days > 300


@pytest.mark.causes("process-certificate")
async def test_one_renewed_by_another_process_of_its_kind_is_taken_up(near):
    loaded = near.cert.read_bytes()
    assert await renew(near)
    assert await renew_if_due(near, loaded, ask_vault(near), datetime.now(UTC))
