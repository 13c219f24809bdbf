"""Certificates from before the table of statuses get theirs."""

import pytest
from cryptography.x509.ocsp import OCSPCertStatus

from hsm_module.storage.records import Records
from hsm_module.trust.adoption import adopt
from tests.fakes.trust_world import ask_ocsp, certificate_of, read_ocsp
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
