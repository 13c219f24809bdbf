"""A new certificate on the same key: by its owner, near the end, for the same person."""

import hashlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.clients.vault import VaultKeysClient
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.gen.signer.vault.v1.vault_pb2_grpc import add_VaultKeysServiceServicer_to_server
from grpc_api.server import listen, make_internal_server
from grpc_api.servers.vault_keys import VaultKeysServicer
from hsm_module.authorities import ISSUING
from hsm_module.key_transaction import key_transaction, retire, suspend
from hsm_module.sessions.signing import SigningSessions
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.statuses import CertificateName
from hsm_module.trust.status import set_status
from signer_core.errors import (
    BusyError,
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    VerificationError,
)
from signer_core.pki.status import Reason, Status
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash
from signer_core.protocol.to_be_signed import make_pkcs10_info
from tests.fakes.process_tls import tls_of
from tests.fakes.vault_phone import Ask

DAY_S = 24 * 3600


async def in_force(world, phone):
    issued = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    return x509.load_der_x509_certificate(issued.certificate)


async def register(world, phone, **changes):
    """Register a renewal as an honest signer does; return what an honest phone asks."""
    print_ = hashlib.sha256(der(await in_force(world, phone))).digest()
    registration = world.registration(
        phone,
        **{
            "kind": KeyAction.RENEWAL.value,
            "request_hash": action_hash(KeyAction.RENEWAL, phone.key_id, print_),
            "file_hashes": (about_hash(phone.key_id, print_),),
            "expires_at_s": world.clock.unix_time_s() + 900,
            **changes,
        },
    )
    await world.vault.requests.register(registration)
    items = (Item("pkcs10", make_pkcs10_info(phone.share.public_key)),)
    attestation = world.attest(phone, registration.request_id)
    return Ask(registration.request_id, registration.request_hash, items, attestation)


async def renew(world, phone):
    return await world.vault.keys.renew_certificate(phone.key_id, world.device_csr(phone))


async def confirmed(world, phone):
    await world.signing(phone, await register(world, phone)).run()


@pytest.fixture
async def phone(world):
    """A phone whose certificate ends in 20 days."""
    made = await world.citizen()
    world.clock.ahead_s = 345 * DAY_S
    return made


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


async def test_the_owner_gets_a_new_certificate_on_the_same_key(world, phone, tmp_path):
    before = await in_force(world, phone)
    await confirmed(world, phone)
    renewed = await renew(world, phone)
    after = x509.load_der_x509_certificate(renewed.person.certificate)
    assert after.public_key() == before.public_key()
    assert after.subject == before.subject
    assert (after.not_valid_after_utc - before.not_valid_after_utc).days in range(340, 350)
    assert await in_force(world, phone) == after
    device = x509.load_der_x509_certificate(renewed.device.certificate)
    assert device.public_key() == phone.device_key.public_key()
    assert device.not_valid_after_utc >= after.not_valid_after_utc
    assert ("certificate", "renewed") in await world.events(phone)
    verify_by_openssl(tmp_path, renewed.person, world.clock.unix_time_s())


def verify_by_openssl(folder, chain, at_s):
    for name, one in zip(
        ("leaf", "issuing", "root"), (chain.certificate, *chain.chain), strict=True
    ):
        pem = x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM)
        (folder / name).write_bytes(pem)
    command = ["openssl", "verify", "-x509_strict", "-attime", str(at_s), "-CAfile", "root"]
    subprocess.run([*command, "-untrusted", "issuing", "leaf"], cwd=folder, check=True)


async def test_the_certificate_before_stays_good_until_its_end(world, phone):
    before = await in_force(world, phone)
    await confirmed(world, phone)
    await renew(world, phone)
    async with world.vault.context.store.reading() as transaction:
        rows = await transaction.statuses.of_key(phone.key_id)
    citizens = [one for one in rows if one.kind == "citizen"]
    assert [one.status for one in citizens] == [Status.GOOD, Status.GOOD]
    assert CertificateName.of(ISSUING, before.serial_number) in [one.name for one in citizens]


async def test_one_confirmation_is_good_for_one_certificate(world, phone):
    await confirmed(world, phone)
    first = await renew(world, phone)
    assert (await renew(world, phone)).person == first.person
    world.clock.ahead_s += 2 * DAY_S
    with pytest.raises(NotFoundError, match="confirmed no renewal"):
        await renew(world, phone)
    world.clock.ahead_s += 330 * DAY_S
    with pytest.raises(NotFoundError, match="confirmed no renewal"):
        await renew(world, phone)


async def test_without_the_owners_pin_there_is_none(world, phone):
    ask = await register(world, phone)
    with pytest.raises(NotFoundError):
        await renew(world, phone)
    with pytest.raises(PinRejectedError):
        await world.try_wrong_pin(phone, ask)
    with pytest.raises(NotFoundError):
        await renew(world, phone)


async def test_more_than_30_days_before_the_end_it_is_refused(world):
    phone = await world.citizen()
    world.clock.ahead_s = 334 * DAY_S
    with pytest.raises(InvalidRequestError, match="renew it from"):
        await register(world, phone)
    world.clock.ahead_s = 336 * DAY_S
    await register(world, phone)


async def test_after_its_end_it_is_refused(world, phone):
    world.clock.ahead_s = 366 * DAY_S
    with pytest.raises(NotFoundError, match="run out: enrol again"):
        await register(world, phone)


async def test_what_ran_out_after_the_confirmation_is_not_renewed(world, phone):
    world.clock.ahead_s = 365 * DAY_S - 600
    await confirmed(world, phone)
    world.clock.ahead_s += 1200
    with pytest.raises(NotFoundError, match="run out"):
        await renew(world, phone)


@pytest.mark.parametrize("end", [suspend, retire])
async def test_an_ended_key_is_not_renewed(world, phone, end):
    await confirmed(world, phone)
    async with key_transaction(world.vault.context.store, phone.key_id) as key:
        await end(key.transaction, key.row, "owner")
    with pytest.raises((KeySuspendedError, RetireShareError)):
        await renew(world, phone)
    with pytest.raises((KeySuspendedError, RetireShareError)):
        await register(world, phone)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(Status.SUSPENDED, Reason.HOLD), (Status.REVOKED, Reason.CESSATION)],
)
async def test_a_certificate_that_is_not_good_is_not_renewed(world, phone, status, reason):
    await confirmed(world, phone)
    name = CertificateName.of(ISSUING, (await in_force(world, phone)).serial_number)
    async with world.vault.context.store.transaction() as transaction:
        await set_status(transaction, name, status, reason)
    with pytest.raises(DeniedError, match="not renewed"):
        await renew(world, phone)
    with pytest.raises(DeniedError, match="not renewed"):
        await register(world, phone)


async def test_another_phones_device_key_is_refused(world, phone):
    other = await world.citizen()
    await confirmed(world, phone)
    with pytest.raises(DeniedError, match="another phone"):
        await world.vault.keys.renew_certificate(phone.key_id, world.device_csr(other))


async def test_another_key_is_not_certified(world, phone):
    other = await world.citizen()
    ask = await register(world, phone)
    stranger = (Item("pkcs10", make_pkcs10_info(other.share.public_key)),)
    wrong = Ask(ask.request_id, ask.request_hash, stranger, ask.attestation)
    with pytest.raises(VerificationError):
        await world.signing(phone, wrong).run()
    for items in ((), ask.items * 2):
        with pytest.raises(InvalidRequestError, match="one thing"):
            await world.signing(phone, Ask(ask.request_id, ask.request_hash, items, "")).run()


async def test_a_renewal_names_the_certificate_in_force(world, phone):
    with pytest.raises(InvalidRequestError, match="another certificate"):
        await register(world, phone, file_hashes=(about_hash(phone.key_id, bytes(32)),))
    with pytest.raises(InvalidRequestError, match="hash"):
        await register(world, phone, request_hash=bytes(32))


async def test_the_subject_is_that_of_the_record_the_vault_wrapped(world, phone):
    other = await world.citizen()
    await confirmed(world, phone)
    stolen = await world.row("certificates", key_id=other.key_id)
    await world.edit("certificates", {"blob": stolen["blob"]}, key_id=phone.key_id)
    with pytest.raises(AlteredRowError):
        await renew(world, phone)


async def test_the_certificate_before_cannot_be_put_back_as_the_one_in_force(world, phone):
    before = await world.row("certificates", key_id=phone.key_id)
    await confirmed(world, phone)
    await renew(world, phone)
    await world.edit("certificates", {"blob": before["blob"]}, key_id=phone.key_id)
    with pytest.raises(AlteredRowError):
        await in_force(world, phone)


async def test_a_session_under_the_certificate_before_signs_nothing_after_it(world, phone):
    document = await world.request(phone)
    await confirmed(world, phone)
    session = world.signing(phone, document)
    await session.to_openings()
    await renew(world, phone)
    with pytest.raises(ProtocolAbortError, match="newer session"):
        await session.sign(phone.x2)
    with pytest.raises(VerificationError):
        await world.signing(phone, document).run()
    await world.signing(phone, await world.request(phone)).run()


async def test_a_session_that_was_admitted_before_does_not_go_live(world, phone, monkeypatch):
    """The renewal comes between step 1 and step 3: nothing of the session is stored yet."""
    document = await world.request(phone)
    await confirmed(world, phone)
    go_live = SigningSessions._go_live

    async def renewed_before(sessions, *arguments):
        monkeypatch.undo()
        await renew(world, phone)
        return await go_live(sessions, *arguments)

    monkeypatch.setattr(SigningSessions, "_go_live", renewed_before)
    with pytest.raises(BusyError, match="renewed just now"):
        await world.signing(phone, document).run()
    await world.signing(phone, await world.request(phone)).run()


async def test_a_key_without_a_certificate_has_nothing_to_renew(world):
    phone = await world.enrol()
    registration = world.registration(
        phone,
        kind=KeyAction.RENEWAL.value,
        request_hash=action_hash(KeyAction.RENEWAL, phone.key_id),
        file_hashes=(about_hash(phone.key_id),),
    )
    with pytest.raises(NotFoundError, match="no certificate"):
        await world.vault.requests.register(registration)


async def test_the_signer_gets_it_over_the_wire(world, phone, tmp_path):
    """As the others, through servicer and client."""
    tls = await tls_of(world, tmp_path / "vault", "vault.internal")
    server = make_internal_server({"signer.vault.v1.VaultKeysService": ("signer.internal",)})
    add_VaultKeysServiceServicer_to_server(VaultKeysServicer(world.vault.keys), server)
    port = listen(server, "127.0.0.1:0", internal_server_credentials(tls))
    await server.start()
    caller = await tls_of(world, tmp_path / "signer", "signer.internal")
    async with internal_channel(f"127.0.0.1:{port}", "vault.internal", caller) as channel:
        keys = VaultKeysClient(channel)
        with pytest.raises(NotFoundError, match="confirmed no renewal"):
            await keys.renew_certificate(phone.key_id, world.device_csr(phone))
        await confirmed(world, phone)
        renewed = await keys.renew_certificate(phone.key_id, world.device_csr(phone))
    await server.stop(None)
    assert renewed.person == (await renew(world, phone)).person
    assert len(renewed.device.chain) == 1
