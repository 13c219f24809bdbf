"""A restored backup makes no certificate good again."""

from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus

from hsm_module.authorities import ISSUING
from hsm_module.restore import restore
from signer_core.pki.ocsp import OcspError, error_answer
from tests.fakes.trust_world import ask_ocsp, certificate_of, make_trust, read_ocsp
from tests.fakes.vault_backup import backup, bring_back
from tests.integration.trust.test_crl import retire, suspend


async def restored(world):
    """Restore with every process of the world stopped; start one, return its trust services."""
    for marks in world.marks:
        marks.close()
    world.marks.clear()
    vault = world.make_process("restoring", alone=True)
    for _ in range(2):  # the second time is harmless
        await restore(vault.context.store, world.marks[0])
    world.marks.pop().close()
    world.vault = world.make_process("after")
    await world.vault.context.store.verify_marks()
    return make_trust(world)


async def test_what_was_suspended_or_revoked_after_the_backup_stays_so(world):
    suspended, revoked, good = [await world.citizen() for _ in range(3)]
    saved = await backup(world)
    newer = await world.citizen()  # not in the backup at all
    certificates = [await certificate_of(world, one) for one in (suspended, revoked, newer, good)]
    await suspend(world, suspended)
    await retire(world, revoked)
    await retire(world, newer)
    await bring_back(world, saved)
    issuing = world.authorities.issuing
    requests = [ask_ocsp(one, issuing) for one in certificates]
    before = make_trust(world)
    for request in requests[:3]:  # nobody has restored yet
        assert await before.answer_ocsp(request) == error_answer(OcspError.INTERNAL)
    trust = await restored(world)
    answers = [read_ocsp(await trust.answer_ocsp(request)) for request in requests]
    assert [one.certificate_status for one in answers] == [OCSPCertStatus.REVOKED] * 3 + [
        OCSPCertStatus.GOOD
    ]
    assert answers[0].revocation_reason is x509.ReasonFlags.certificate_hold
    await trust.crls.make_if_due(ISSUING)
    made = x509.load_der_x509_crl((await trust.crl(ISSUING)).der)
    assert {one.serial_number for one in made} == {one.serial_number for one in certificates[:3]}
