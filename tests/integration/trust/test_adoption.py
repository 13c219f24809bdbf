"""Certificates from before the table of statuses get theirs."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.ocsp import OCSPCertStatus

from hsm_module.authorities import DEVICE, INFRASTRUCTURE
from hsm_module.serials import new_serial
from hsm_module.storage.records import Records
from hsm_module.storage.statuses import CertificateName
from hsm_module.trust.adoption import adopt, adopt_processes
from hsm_module.trust.status import set_status
from signer_core.errors import InvalidRequestError
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.process import ProcessNames, issue_process
from signer_core.pki.status import Reason, Status
from tests.fakes.trust_world import ask_ocsp, certificate_of, read_ocsp, write_pem
from tests.fakes.vault_backup import delete
from tests.integration.trust.test_crl import retire, suspend


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (None, OCSPCertStatus.GOOD),
        (suspend, OCSPCertStatus.REVOKED),
        (retire, OCSPCertStatus.REVOKED),
    ],
)
async def test_a_certificate_without_a_status_gets_that_of_its_key(world, trust, end, said):
    phone, other = await world.citizen(), await world.enrol()
    certificate = await certificate_of(world, phone)
    await delete(world, "certificate_statuses")
    request = ask_ocsp(certificate, world.authorities.issuing)
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is OCSPCertStatus.UNKNOWN
    if end is not None:
        await end(world, phone)
    store, records = world.vault.context.store, Records(world.token)
    assert await adopt(store, records) == 1
    assert await adopt(store, records) == 0
    assert read_ocsp(await trust.answer_ocsp(request)).certificate_status is said
    assert other.key_id  # enrolled, not certified: nothing to take up


async def test_an_altered_key_is_passed_over(world):
    altered, good = await world.citizen(), await world.citizen()
    await delete(world, "certificate_statuses")
    await world.edit("keys", {"failed": 1}, key_id=altered.key_id)
    assert await adopt(world.vault.context.store, Records(world.token)) == 1
    assert (await world.row("certificate_statuses"))["key_id"] == good.key_id


async def process_of(world, authority=None):
    """A process certificate, as the ceremony issues it."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    issuance = Issuance(new_serial(), datetime.now(UTC))
    names = ProcessNames(("signer.internal",), ())
    label, issuer = authority or (INFRASTRUCTURE, world.authorities.infrastructure)
    return await world.token.use_key(
        label, lambda signing: issue_process(Issuer(issuer, signing), issuance, key, names)
    )


async def adopt_book(world, tmp_path, *certificates):
    book = write_pem(tmp_path / "process-certificates.pem", *certificates)
    return await adopt_processes(world.vault.context.store, world.authorities.infrastructure, book)


async def test_a_process_certificate_of_the_ceremony_is_answered_for_and_revoked(
    world, trust, tmp_path
):
    certificate = await process_of(world)
    asked = ask_ocsp(certificate, world.authorities.infrastructure)
    assert read_ocsp(await trust.answer_ocsp(asked)).certificate_status is OCSPCertStatus.UNKNOWN
    assert await adopt_book(world, tmp_path, certificate) == 1
    assert await adopt_book(world, tmp_path, certificate) == 0  # the next start
    assert read_ocsp(await trust.answer_ocsp(asked)).certificate_status is OCSPCertStatus.GOOD
    name = CertificateName.of(INFRASTRUCTURE, certificate.serial_number)
    async with world.vault.context.store.transaction() as transaction:
        await set_status(transaction, name, Status.REVOKED, Reason.KEY_COMPROMISE)
    assert await adopt_book(world, tmp_path, certificate) == 0
    assert read_ocsp(await trust.answer_ocsp(asked)).certificate_status is OCSPCertStatus.REVOKED
    await trust.crls.make(INFRASTRUCTURE)
    listed = x509.load_der_x509_crl((await trust.crl(INFRASTRUCTURE)).der)
    assert listed.get_revoked_certificate_by_serial_number(certificate.serial_number)


async def test_nobody_elses_certificate_gets_a_status_as_a_process(world, tmp_path):
    other = await process_of(world, authority=(DEVICE, world.authorities.device))
    with pytest.raises(InvalidRequestError, match="another authority"):
        await adopt_book(world, tmp_path, other)
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(InvalidRequestError, match="cannot be read"):
        await adopt_processes(world.vault.context.store, world.authorities.infrastructure, broken)
    missing = tmp_path / "missing.pem"  # of an older ceremony
    infrastructure = world.authorities.infrastructure
    assert await adopt_processes(world.vault.context.store, infrastructure, missing) == 0
