"""Officers at the vault: who may, what it does to a key, and that it is audited."""

import dataclasses
import secrets

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.admin.access import OfficerDoor
from hsm_module.admin.keys import KeyDesk
from hsm_module.admin.officers import OfficerDesk, key_hash
from hsm_module.admin.rotation import Rotation
from hsm_module.admin.seals import SealDesk
from hsm_module.admin.service import Admin
from hsm_module.authorities import INFRASTRUCTURE
from hsm_module.login.keys import LoginKeyring
from hsm_module.partners.desk import PartnerDesk
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.storage.statuses import CertificateName, StatusRow
from signer_core.admin.officers import Grounds, OfficerClaim, Reason, Role
from signer_core.admin.vault import Ending, Outcome
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    RefreshNeededError,
    RetireShareError,
)
from signer_core.identifiers import KeyId
from signer_core.pki import status
from signer_core.pki.officer import CALLER_NAME, find_officer_id
from signer_core.pki.status import Status
from signer_core.ports import KeyStatus, RequestState
from tests.fakes.trust_world import make_seals
from tests.fakes.vault_phone import PhoneSigning

WHY = Grounds(Reason.KEY_COMPROMISE, "INC-7")


def make_csr() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER), key_hash(key.public_key())


@pytest.fixture
def admin(world) -> Admin:
    context = world.vault.context
    return Admin(
        OfficerDoor(context.store),
        KeyDesk(context),
        Rotation(context, world.token),
        OfficerDesk(context.store, world.token, world.authorities.infrastructure, context.now),
        LoginKeyring(context.store, world.token),
        SealDesk(make_seals(world), settle_s=0),
        PartnerDesk(context.store, world.token),
    )


@pytest.fixture
async def anna(admin) -> OfficerClaim:
    csr, hashed = make_csr()
    await admin.officers.add("anna", Role.OFFICER, csr, WHY)
    return OfficerClaim("anna", hashed)


@pytest.fixture
async def auditor(admin, anna) -> OfficerClaim:
    csr, hashed = make_csr()
    await admin.add_officer(anna, "borys", Role.AUDITOR, csr, WHY)
    return OfficerClaim("borys", hashed)


async def test_an_officers_certificate_names_it_and_is_a_clients_only(admin, anna):
    csr, _ = make_csr()
    pem = await admin.add_officer(anna, "vira", Role.AUDITOR, csr, WHY)
    certificate, ca = x509.load_pem_x509_certificates(pem)
    certificate.verify_directly_issued_by(ca)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert find_officer_id(certificate) == "vira"
    assert names.get_values_for_type(x509.DNSName) == [CALLER_NAME]
    assert [u.dotted_string for u in usage] == ["1.3.6.1.5.5.7.3.2"]


@pytest.mark.causes("officer-refused")
@pytest.mark.parametrize("about", ["another id", "another key", "removed"])
async def test_nobody_gets_in_whom_the_table_does_not_know(world, admin, anna, auditor, about):
    claim = auditor
    match about:
        case "another id":
            claim = dataclasses.replace(auditor, officer_id="stranger")
        case "another key":
            claim = dataclasses.replace(auditor, key_hash=secrets.token_bytes(32))
        case _:
            await admin.remove_officer(anna, "borys", WHY)
    with pytest.raises(DeniedError, match="no officer"):
        await admin.list_keys(claim, b"", 10)
    row = await world.row("outbox", event="officer-refused")
    assert (row["reason"], row["subject"], row["actor_id"]) == (
        "unknown-officer",
        "list-keys",
        claim.officer_id,
    )


CHANGES = {
    "end-keys": lambda a, c: a.end_keys(c, [KeyId(bytes(16))], Ending.REVOKE, WHY),
    "mark-for-refresh": lambda a, c: a.mark_for_refresh(c, [KeyId(bytes(16))], WHY),
    "start-rotation": lambda a, c: a.start_rotation(c, WHY),
    "rewrap": lambda a, c: a.rewrap(c, b"", 1),
    "add-officer": lambda a, c: a.add_officer(c, "mallory", Role.OFFICER, make_csr()[0], WHY),
    "remove-officer": lambda a, c: a.remove_officer(c, "anna", WHY),
    "sign-partner": lambda a, c: a.sign_partner(c, "{}", WHY),
    "set-partner-active": lambda a, c: a.set_partner_active(c, "bank", WHY, active=False),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_an_auditor_changes_nothing_and_is_audited(world, admin, auditor, change):
    with pytest.raises(DeniedError, match="auditor only reads"):
        await CHANGES[change](admin, auditor)
    row = await world.row("outbox", event="officer-refused")
    assert (row["reason"], row["subject"]) == ("auditor", change)


async def test_an_auditor_reads(admin, auditor):
    assert await admin.list_keys(auditor, b"", 10) == []
    assert (await admin.kek_status(auditor)).newest == "kek-1"
    assert {one.officer_id for one in await admin.list_officers(auditor)} == {"anna", "borys"}
    assert await admin.list_partners(auditor, "", 10) == []


async def test_the_last_officer_stays(admin, anna, auditor):
    with pytest.raises(InvalidRequestError, match="last officer"):
        await admin.remove_officer(anna, "anna", WHY)
    with pytest.raises(InvalidRequestError, match="last officer"):
        await admin.add_officer(anna, "anna", Role.AUDITOR, make_csr()[0], WHY)
    assert await admin.door.find(anna) is not None


async def test_a_new_key_for_an_officer_ends_the_one_before(world, admin, anna):
    csr, hashed = make_csr()
    await admin.add_officer(anna, "anna", Role.OFFICER, csr, WHY)
    assert await admin.door.find(anna) is None
    assert await admin.door.find(OfficerClaim("anna", hashed)) is not None
    row = await world.row("certificate_statuses", kind="officer", status="revoked")
    assert row["reason"] == "key-compromise"


@pytest.mark.causes("officer")
async def test_who_comes_and_who_goes_is_audited(world, admin, anna, auditor):
    await admin.remove_officer(anna, "borys", Grounds(Reason.STAFF_CHANGE))
    came = await world.row("outbox", event="officer", subject="borys:auditor", result="added")
    gone = await world.row("outbox", event="officer", subject="borys:auditor", result="removed")
    assert (came["reason"], gone["reason"]) == ("key-compromise", "staff-change")


async def test_a_removed_officer_cannot_be_put_back_into_the_table(world, admin, anna, auditor):
    before = await world.row("officers", officer_id="borys")
    await admin.remove_officer(anna, "borys", WHY)
    await world.edit("officers", before, officer_id="borys")
    with pytest.raises(RolledBackRowError):
        await admin.list_keys(auditor, b"", 10)


async def test_an_auditor_cannot_be_made_an_officer_by_editing_the_table(world, admin, auditor):
    await world.edit("officers", {"role": "officer"}, officer_id="borys")
    with pytest.raises(AlteredRowError):
        await admin.start_rotation(auditor, WHY)


@pytest.mark.causes("officer-key")
async def test_a_revoked_key_takes_its_certificate_and_open_requests_along(world, admin, anna):
    phone = await world.citizen()
    ask = await world.request(phone)
    assert await admin.end_keys(anna, [phone.key_id], Ending.REVOKE, WHY) == [Outcome.DONE]
    with pytest.raises(RetireShareError, match="an officer revoked this key"):
        await world.signing(phone, ask).run()
    result = await world.vault.requests.result(ask.request_id)
    assert result.state is RequestState.BURNED
    rows = await world.row("certificate_statuses", key_id=phone.key_id, kind="citizen")
    assert (rows["status"], rows["reason"]) == (Status.REVOKED, "key-compromise")
    event = await world.row("outbox", event="officer-key")
    assert (event["result"], event["reason"], event["subject"]) == (
        "revoked",
        "key-compromise",
        "INC-7",
    )
    assert (event["actor_kind"], event["actor_id"]) == ("officer", "anna")


async def test_a_suspended_key_may_still_be_revoked_and_neither_twice(world, admin, anna):
    phone = await world.citizen()

    async def end(ending: Ending) -> Outcome:
        (outcome,) = await admin.end_keys(anna, [phone.key_id], ending, WHY)
        return outcome

    assert await end(Ending.SUSPEND) is Outcome.DONE
    assert await end(Ending.SUSPEND) is Outcome.ALREADY
    with pytest.raises(KeySuspendedError, match="an officer suspended"):
        await world.vault.requests.register(world.registration(phone))
    assert await end(Ending.REVOKE) is Outcome.DONE
    assert [await end(Ending.REVOKE), await end(Ending.SUSPEND)] == [Outcome.ALREADY] * 2


async def test_a_batch_tells_each_key_apart(world, admin, anna):
    good, altered = await world.citizen(), await world.citizen()
    await world.edit("keys", {"signatures": 99}, key_id=altered.key_id)
    missing = KeyId(secrets.token_bytes(16))
    outcomes = await admin.end_keys(
        anna, [good.key_id, altered.key_id, missing], Ending.REVOKE, WHY
    )
    assert outcomes == [Outcome.DONE, Outcome.ALTERED, Outcome.MISSING]


@pytest.mark.parametrize("reason", [Reason.SCHEDULED, Reason.DRILL, Reason.STAFF_CHANGE])
async def test_no_key_ends_for_a_drill(world, admin, anna, reason):
    with pytest.raises(InvalidRequestError, match="a key ends for one of"):
        await admin.end_keys(anna, [KeyId(bytes(16))], Ending.REVOKE, Grounds(reason))


async def test_a_key_marked_for_refresh_signs_only_under_new_shares(world, admin, anna):
    phone = await world.citizen()
    ask = await world.request(phone)
    assert await admin.mark_for_refresh(anna, [phone.key_id], WHY) == [Outcome.DONE]
    assert await admin.mark_for_refresh(anna, [phone.key_id], WHY) == [Outcome.ALREADY]
    with pytest.raises(RefreshNeededError):
        await world.signing(phone, ask).to_openings()  # before anybody types a PIN
    (shown,) = await admin.get_keys(anna, [phone.key_id])
    assert shown.must_refresh
    renewed = await world.refresh(phone)
    with pytest.raises(RefreshNeededError):
        await world.signing(phone, ask).run()  # the old shares are still there, and still refused
    await world.signing(renewed, ask).run()
    (shown,) = await admin.get_keys(anna, [phone.key_id])
    assert (shown.must_refresh, shown.generation, shown.status) == (False, 1, KeyStatus.ACTIVE)


async def test_a_session_that_was_admitted_before_the_mark_signs_nothing_after_it(
    world, admin, anna
):
    phone = await world.citizen()
    session = world.signing(phone, await world.request(phone))
    await session.to_openings()
    await admin.mark_for_refresh(anna, [phone.key_id], WHY)
    with pytest.raises(RefreshNeededError):
        await session.sign()
    assert (await world.row("keys", key_id=phone.key_id))["failed"] == 0


async def test_a_key_that_was_never_certified_may_sign_its_own_request_first(world, admin, anna):
    phone = await world.enrol()
    await admin.mark_for_refresh(anna, [phone.key_id], WHY)
    await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()


async def test_a_list_shows_an_altered_row_and_believes_nothing_of_it(world, admin, anna):
    good, altered = await world.citizen(), await world.citizen()
    await world.edit("keys", {"status": "retired"}, key_id=altered.key_id)
    found = {key.key_id: key for key in await admin.list_keys(anna, b"", 10)}
    assert found[altered.key_id].altered
    assert not found[good.key_id].altered
    assert found[good.key_id].certified


async def test_pages_follow_each_other(world, admin, anna):
    phones = sorted([(await world.enrol()).key_id for _ in range(3)])
    first = await admin.list_keys(anna, b"", 2)
    rest = await admin.list_keys(anna, first[-1].key_id, 2)
    assert [key.key_id for key in (*first, *rest)] == phones
    for wrong in (0, 1001):
        with pytest.raises(InvalidRequestError):
            await admin.list_keys(anna, b"", wrong)


async def test_usage_counts_requests_by_state(world, admin, anna):
    phone = await world.citizen()
    await world.request(phone)
    usage = await admin.usage(anna, phone.key_id)
    assert (usage.key.signatures, usage.requests) == (1, {"consumed": 1, "open": 1})
    with pytest.raises(NotFoundError):
        await admin.usage(anna, KeyId(bytes(16)))


@pytest.mark.causes("process-certificate")
async def test_an_officer_revokes_a_processs_certificate_and_no_other_kind(
    world, admin, anna, auditor
):
    name = CertificateName.of(INFRASTRUCTURE, 0xABCDEF)
    async with world.vault.context.store.transaction() as transaction:
        await transaction.statuses.insert(StatusRow(name, "process", 2**33))
    with pytest.raises(DeniedError):
        await admin.revoke_process(auditor, name.serial, WHY)
    assert await admin.revoke_process(anna, name.serial, WHY) is Outcome.DONE
    assert await admin.revoke_process(anna, b"\0" + name.serial, WHY) is Outcome.ALREADY
    async with world.vault.context.store.reading() as transaction:
        row = await transaction.statuses.get(name)
    assert (row.status, row.reason) == (Status.REVOKED, status.Reason.KEY_COMPROMISE)
    event = await world.row("outbox", event="process-certificate")
    assert (event["result"], event["reason"]) == ("revoked", "key-compromise")
    assert event["subject"] == "abcdef:INC-7"
    for unknown in (b"\x01", b"", bytes(3), b"\xff" * 21):
        with pytest.raises(NotFoundError):
            await admin.revoke_process(anna, unknown, WHY)
    officers = await admin.list_officers(anna)
    async with world.vault.context.store.reading() as transaction:
        own = await transaction.officers.find(officers[0].officer_id)
    with pytest.raises(InvalidRequestError, match="officer remove"):
        await admin.revoke_process(anna, own.serial, WHY)
