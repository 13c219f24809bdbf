"""Whose phone, whose photo, whose authorisation (docs/spec/ecdsa2p.md §0, §2, §6)."""

import dataclasses
import secrets
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.storage.tables import metadata
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError, ProtocolAbortError
from signer_core.identifiers import KeyId, VaultId
from tests.fakes.vault_phone import Phone, PhoneSigning
from tests.fakes.vault_world import VaultWorld

# --- signing -------------------------------------------------------------------------------------


async def test_the_certificate_of_another_device_signs_nothing(world):
    phone, other = await world.citizen(), await world.citizen()
    ask = await world.request(phone)
    before = await world.row("keys", key_id=phone.key_id)
    thief = dataclasses.replace(phone, certificate=other.certificate)
    with pytest.raises(DeniedError):
        await world.signing(thief, ask).run()
    assert await world.row("keys", key_id=phone.key_id) == before


async def attestation(world: VaultWorld, phone: Phone, request_id: bytes, kind: str) -> str:
    now = world.clock.now()
    foreign = ec.generate_private_key(ec.SECP256R1())
    return {
        "other device": world.attest(await world.enrol(), request_id),
        "other request": world.attest(phone, secrets.token_bytes(16)),
        "key id": world.attest(phone, phone.key_id),
        "too old": world.attest(phone, request_id, now=now - timedelta(seconds=302)),
        "future": world.attest(phone, request_id, now=now + timedelta(seconds=35)),
        "foreign": world.attest(phone, request_id, key=foreign),
        "authorisation": phone.authorisation,
        "none": "",
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "other device",
        "other request",
        "key id",
        "too old",
        "future",
        "foreign",
        "authorisation",
        "none",
    ],
)
async def test_an_attestation_that_does_not_fit_is_refused(world, kind):
    phone = await world.citizen()
    ask = await world.request(phone)
    wrong = dataclasses.replace(
        ask, attestation=await attestation(world, phone, ask.request_id, kind)
    )
    before = await world.row("keys", key_id=phone.key_id)
    with pytest.raises(DeniedError):
        await PhoneSigning(phone, world.connect(phone), wrong).run()
    assert await world.row("keys", key_id=phone.key_id) == before


async def test_an_attestation_is_good_for_five_minutes(world):
    phone = await world.citizen()
    ask = await world.request(phone)
    old = world.attest(phone, ask.request_id, now=world.clock.now() - timedelta(seconds=290))
    fresh_enough = dataclasses.replace(ask, attestation=old)
    await PhoneSigning(phone, world.connect(phone), fresh_enough).run()


# --- enrolling -----------------------------------------------------------------------------------


async def refused_enrolment(world: VaultWorld, phone: Phone) -> None:
    with pytest.raises(DeniedError):
        await phone.enrol(world.connect(phone))
    with pytest.raises(NotFoundError):
        await world.vault.keys.key_state(phone.key_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"vault_id": VaultId("vault-2")},
        {"device_key_hash": bytes(32)},
        {"issued_at_s": 1, "expires_at_s": 901},
        {"expires_at_s": 1 << 40},
    ],
    ids=["forged", "other vault", "other device", "expired", "too long"],
)
async def test_an_authorisation_that_does_not_fit_enrols_nobody(world, changes):
    phone = await world.prepare()
    world.authorise(phone, **changes)
    await refused_enrolment(world, phone)


async def test_an_authorisation_for_another_key_enrols_nobody(world):
    phone = await world.prepare()
    phone.key_id = KeyId(secrets.token_bytes(16))
    await refused_enrolment(world, phone)


async def test_a_relay_cannot_enrol_itself_with_a_phones_authorisation(world):
    phone, relay = await world.prepare(), await world.prepare()
    relay.key_id, relay.authorisation = phone.key_id, phone.authorisation
    await refused_enrolment(world, relay)


async def test_an_attestation_is_no_authorisation(world):
    phone = await world.prepare()
    phone.authorisation = world.attest(phone, phone.key_id)
    await refused_enrolment(world, phone)


async def test_an_authorisation_enrols_once(world):
    phone = await world.enrol()
    first = await world.row("keys", key_id=phone.key_id)
    with pytest.raises(DeniedError):
        await phone.copy().enrol(world.connect(phone))
    assert await world.row("keys", key_id=phone.key_id) == first


async def test_the_same_jti_for_another_key_enrols_nobody(world):
    jti = secrets.token_bytes(16)
    phone = await world.prepare(jti=jti)
    await phone.enrol(world.connect(phone))
    await refused_enrolment(world, await world.prepare(jti=jti))


async def test_the_same_key_id_under_another_jti_enrols_nobody(world):
    phone = await world.enrol()
    other = await world.prepare(key_id=phone.key_id)
    with pytest.raises(DeniedError):
        await other.enrol(world.connect(other))
    async with world.vault.context.store.reading() as transaction:
        row, _ = await transaction.keys.get(phone.key_id)
    assert row.device_key_hash == phone.key_hash


async def test_a_failed_enrolment_leaves_its_authorisation_unused(world):
    phone = await world.prepare()
    with pytest.raises(ProtocolAbortError):
        await phone.copy().enrol(world.connect(phone), flip_row_7)
    await phone.enrol(world.connect(phone))


def flip_row_7(step, message):
    if step != 7:
        return message
    return dataclasses.replace(message, pads=(bytes(32), *message.pads[1:]))


async def test_an_enrolment_broken_off_before_row_9_makes_no_key(world):
    phone = await world.prepare()
    link = world.connect(phone)
    with pytest.raises(ProtocolAbortError):
        await phone.enrol(
            link, lambda step, m: dataclasses.replace(m, digest=bytes(32)) if step == 9 else m
        )
    with pytest.raises(NotFoundError):
        await world.vault.keys.key_state(phone.key_id)


# --- certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["forged", "other device", "other vault", "expired"])
async def test_a_device_certificate_needs_a_fitting_authorisation(world, kind):
    phone = Phone()
    changes = {
        "forged": {"key": ec.generate_private_key(ec.SECP256R1())},
        "other device": {"device_key_hash": bytes(32)},
        "other vault": {"vault_id": VaultId("vault-2")},
        "expired": {"issued_at_s": 1, "expires_at_s": 901},
    }[kind]
    token = world.authorise(phone, **changes)
    with pytest.raises(DeniedError):
        await world.vault.keys.issue_device_certificate(token, world.device_csr(phone))


async def test_a_device_csr_must_be_signed_by_its_key(world):
    phone = Phone()
    token = world.authorise(phone)
    csr = bytearray(world.device_csr(phone))
    csr[-1] ^= 1
    with pytest.raises(InvalidRequestError):
        await world.vault.keys.issue_device_certificate(token, bytes(csr))


@pytest.mark.parametrize("csr", [b"", b"no csr", bytes(1025)])
async def test_a_malformed_device_csr_is_refused(world, csr):
    token = world.authorise(Phone())
    with pytest.raises(InvalidRequestError):
        await world.vault.keys.issue_device_certificate(token, csr)


async def test_no_certificate_before_the_pkcs10_is_signed(world):
    phone = await world.enrol()
    with pytest.raises(NotFoundError):
        await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)


async def test_no_certificate_under_another_authorisation(world):
    phone = await world.enrol()
    own = phone.authorisation
    await PhoneSigning(phone, world.connect(phone), world.own_ask(phone)).run()
    other = world.authorise(phone.copy(), key_id=phone.key_id)
    assert other != own
    with pytest.raises(DeniedError):
        await world.vault.keys.issue_certificate(phone.key_id, other)


async def test_the_certificate_is_wrapped_and_no_name_is_in_the_database(world):
    await world.citizen()
    content = b""
    async with world.engines[0].connect() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                content += b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    assert b"signed" in content
    for secret in ("Тестов", "Олена", "1234567899", "19900101-00009", "person-1"):
        assert secret.encode() not in content
