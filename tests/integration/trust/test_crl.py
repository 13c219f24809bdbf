"""CRLs as OpenSSL and `cryptography` judge them."""

import asyncio

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.authorities import DEVICE, INFRASTRUCTURE, ISSUING
from hsm_module.key_transaction import key_transaction
from hsm_module.key_transaction import retire as retire_key
from hsm_module.key_transaction import suspend as suspend_key
from hsm_module.storage.crls import CrlHead
from hsm_module.storage.statuses import CertificateName
from hsm_module.trust.status import set_status
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.pki.status import Reason, Status
from tests.fakes.trust_world import certificate_of, make_trust, openssl, write_pem


async def suspend(world, phone):
    async with key_transaction(world.vault.context.store, phone.key_id) as key:
        await suspend_key(key.transaction, key.row, "clone")


async def retire(world, phone, reason="owner"):
    async with key_transaction(world.vault.context.store, phone.key_id) as key:
        await retire_key(key.transaction, key.row, reason)


async def crl(trust, issuer=ISSUING):
    await trust.crls.make_if_due(issuer)
    found = await trust.crl(issuer)
    return x509.load_der_x509_crl(found.der)


def reason_of(entry):
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


async def test_every_authority_has_a_crl_of_its_own(world, trust):
    for label, certificate in world.authorities.issuers.items():
        made = await crl(trust, label)
        assert made.is_signature_valid(certificate.public_key())
        assert made.issuer == certificate.subject
        assert len(made) == 0
        assert (made.next_update_utc - made.last_update_utc).total_seconds() == 24 * 3600
    with pytest.raises(NotFoundError):
        await trust.crl("another")


async def test_a_change_makes_a_crl_due_and_nothing_else_does_for_an_hour(world, trust):
    phone = await world.citizen()
    first = await crl(trust)
    assert await crl(trust) == first
    await suspend(world, phone)
    second = await crl(trust)
    assert [reason_of(one) for one in second] == [x509.ReasonFlags.certificate_hold]
    assert await crl(trust) == second
    world.clock.ahead_s += 3601
    assert await crl(trust) != second
    world.clock.ahead_s -= 3601  # a CRL of the future is not left standing
    assert (await crl(trust)).last_update_utc < second.next_update_utc


async def test_numbers_rise_with_every_crl(world, trust):
    numbers = []
    for _ in range(3):
        await trust.crls.make(ISSUING)
        numbers.append((await trust.crl(ISSUING)).number)
    assert numbers == sorted(set(numbers))
    world.clock.ahead_s -= 3600
    await trust.crls.make(ISSUING)
    assert (await trust.crl(ISSUING)).number > numbers[-1]
    assert await trust.crl(ISSUING, (await trust.crl(ISSUING)).number) is None


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("owner", None),
        ("replaced", x509.ReasonFlags.superseded),
        ("wrong-arithmetic", x509.ReasonFlags.key_compromise),
        ("unresolved", x509.ReasonFlags.key_compromise),
    ],
)
async def test_the_end_of_a_key_revokes_its_certificates(world, trust, reason, said):
    phone = await world.citizen()
    certificate = await certificate_of(world, phone)
    await suspend(world, phone)  # what is only held gets revoked
    await retire(world, phone, reason)
    (entry,) = await crl(trust)
    assert entry.serial_number == certificate.serial_number
    assert reason_of(entry) is said
    (entry,) = await crl(trust, DEVICE)
    device = x509.load_der_x509_certificate(phone.certificate)
    assert entry.serial_number == device.serial_number
    assert len(await crl(trust, INFRASTRUCTURE)) == 0


async def test_openssl_checks_the_whole_chain_with_crls(world, trust, ca_files, root_crl):
    phone = await world.citizen()
    leaf = write_pem(ca_files / "leaf.pem", await certificate_of(world, phone))
    lists = ca_files / "lists.pem"

    async def verify(code):
        both = (await crl(trust), x509.load_der_x509_crl(root_crl))
        lists.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in both))
        return openssl(
            *("verify", "-x509_strict", "-crl_check_all", "-CRLfile", lists),
            *("-CAfile", ca_files / "root.pem", "-untrusted", ca_files / "below.pem", leaf),
            code=code,
        )

    assert "leaf.pem: OK" in await verify(0)
    await suspend(world, phone)
    assert "certificate revoked" in await verify(2)


async def test_a_certificate_never_becomes_better(world):
    phone = await world.citizen()
    serial = (await certificate_of(world, phone)).serial_number
    store = world.vault.context.store

    async def change(status, reason):
        async with store.transaction() as transaction:
            name = CertificateName.of(ISSUING, serial)
            return await set_status(transaction, name, status, reason)

    assert await change(Status.REVOKED, Reason.KEY_COMPROMISE) == 1
    assert await change(Status.SUSPENDED, Reason.HOLD) == 0
    assert await change(Status.REVOKED, Reason.SUPERSEDED) == 0
    for status, reason in ((Status.GOOD, Reason.NONE), (Status.REVOKED, Reason.HOLD)):
        with pytest.raises(InvalidRequestError):
            await change(status, reason)
    async with store.reading() as transaction:
        row = await transaction.statuses.get(CertificateName.of(ISSUING, serial))
    assert (row.status, row.reason) == (Status.REVOKED, Reason.KEY_COMPROMISE)


@pytest.mark.parametrize("serial", [0, -1, 1 << 160, 7])
async def test_a_serial_number_that_is_not_ours_is_not_found(world, serial):
    async def revoke():
        async with world.vault.context.store.transaction() as transaction:
            name = CertificateName.of(ISSUING, serial)
            await set_status(transaction, name, Status.REVOKED, Reason.UNSPECIFIED)

    with pytest.raises(NotFoundError):
        await revoke()


async def test_a_row_that_was_altered_deleted_or_put_back_stays_on_the_crl(world, trust):
    """What the marks know is listed, whatever the database says."""
    phones = [await world.citizen() for _ in range(3)]
    serials = {(await certificate_of(world, phone)).serial_number for phone in phones}
    altered, deleted, old = phones
    kept = await world.row("certificate_statuses", key_id=old.key_id, issuer=ISSUING)
    for phone in phones:
        await suspend(world, phone)
    where = [{"key_id": phone.key_id, "issuer": ISSUING} for phone in (altered, deleted, old)]
    await world.edit("certificate_statuses", {"status": "good", "reason": ""}, **where[0])
    await world.edit("certificate_statuses", {"serial": b"\x01", "status": "good"}, **where[1])
    await world.edit("certificate_statuses", kept, **where[2])
    for again in (trust, make_trust(world, world.make_process("process-2"))):
        await again.crls.make(ISSUING)
        made = x509.load_der_x509_crl((await again.crl(ISSUING)).der)
        assert {one.serial_number for one in made} == serials


async def test_an_expired_certificate_leaves_the_crl_after_two_days(world, trust):
    phone = await world.citizen()
    await suspend(world, phone)
    for days, count in ((366, 1), (3, 0)):
        world.clock.ahead_s += days * 24 * 3600
        assert len(await crl(trust)) == count


async def test_two_processes_make_crls_at_once_and_one_is_newest(world, trust):
    other = make_trust(world, world.make_process("process-2"))
    for _ in range(3):
        await asyncio.gather(trust.crls.make(ISSUING), other.crls.make(ISSUING))
    made = await trust.crl(ISSUING)
    assert made == await other.crl(ISSUING)
    assert x509.load_der_x509_crl(made.der).is_signature_valid(
        world.authorities.issuing.public_key()
    )
    assert await crl(trust) == x509.load_der_x509_crl(made.der)


async def test_a_row_made_bad_by_hand_is_not_listed(world, trust):
    """Who can write to the database revokes nobody."""
    phone = await world.citizen()
    changes = {"status": "revoked", "reason": "key-compromise"}
    where = {"key_id": phone.key_id, "issuer": ISSUING}
    await world.edit("certificate_statuses", changes, **where)
    assert len(await crl(trust)) == 0


async def test_an_older_crl_never_takes_the_place_of_a_newer_one(world, trust):
    await trust.crls.make(ISSUING)
    newest = await trust.crl(ISSUING)
    for number in (newest.number - 1, newest.number):
        async with world.vault.context.store.transaction() as transaction:
            assert not await transaction.crls.save(ISSUING, CrlHead(0, 9, number, 0), b"older")
    assert await trust.crl(ISSUING) == newest


@pytest.mark.causes("certificate-status")
async def test_every_change_of_a_status_is_audited(world):
    phone = await world.citizen()
    await suspend(world, phone)
    await retire(world, phone, "replaced")
    told = [said for name, said in await world.events(phone) if name == "certificate-status"]
    assert told == ["certificate-hold"] * 2 + ["superseded"] * 2  # of person and phone
