"""Enrolment at the signer: sizes, one key a device, the newest phone of a person."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.gen.signer.phone.v1 import device_pb2, enrolment_pb2
from signer_core.errors import NotFoundError
from signer_core.identity.attestation import verify_attestation
from tests.fakes.pki import new_key
from tests.fakes.refusals import refused
from tests.fakes.signer_world import Phone
from tests.fakes.uploads import create
from tests.fakes.vault_ports import new_citizen

PERSON = "1234567899"


def csr_of(key):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def long_csr():
    """Over 1 KiB, and right in all else."""
    names = x509.SubjectAlternativeName([x509.DNSName("x" * 60 + f"{n}") for n in range(20)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.add_extension(names, critical=False).sign(new_key(), hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def forged_csr():
    der = bytearray(csr_of(new_key()))
    der[-1] ^= 1
    return bytes(der)


GOOD = {"activation_code": "code", "device_csr": csr_of(new_key()), "photo": b"photo"}
BAD = {
    "no code": {"activation_code": ""},
    "a long code": {"activation_code": "x" * 65},
    "no photo": {"photo": b""},
    "a photo over 256 KiB": {"photo": bytes(256 * 1024 + 1)},
    "no csr": {"device_csr": b""},
    "a csr over 1 KiB": {"device_csr": long_csr()},
    "a broken csr": {"device_csr": b"\x30\x03\x02\x01\x01"},
    "a csr with a false signature": {"device_csr": forged_csr()},
    "a csr on another curve": {"device_csr": csr_of(ec.generate_private_key(ec.SECP384R1()))},
    "a csr with an RSA key": {"device_csr": csr_of(rsa.generate_private_key(65537, 2048))},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
async def test_malformed_enrolments_reach_neither_registrar_nor_vault(world, change):
    stub = await world.enrolment()
    with refused("invalid_request"):
        await stub.BeginEnrolment(enrolment_pb2.BeginEnrolmentRequest(**GOOD | change))
    assert (world.registrar.grants, world.vault.calls) == ({}, [])


async def test_an_unknown_code_is_not_found(world):
    with refused("not_found"):
        await world.enrol(code="unknown")
    assert world.vault.calls == []


async def test_repeating_an_enrolment_gives_the_same_key(world):
    phone = await world.enrol(code="code")
    first = phone.key_id
    assert (await world.enrol(phone, code="code")).key_id == first


async def test_a_device_key_serves_one_user_key_only(world):
    phone = await world.enrol(code="one")
    with refused("invalid_request", "device key is taken"):
        await world.enrol(Phone(phone.key), code="two")


@pytest.mark.parametrize("neighbour", ["vault", "registrar"])
async def test_without_a_neighbour_nobody_is_enrolled(world, neighbour):
    getattr(world, neighbour).away = True
    with refused("unavailable"):
        await world.enrol(code="code")
    getattr(world, neighbour).away = False
    await world.enrol(code="code")


async def test_the_key_itself_can_have_its_photo_checked(world):
    phone = await world.enrol()
    answer = await phone.device.CheckPhoto(
        device_pb2.CheckPhotoRequest(request_id=phone.key_id, photo=b"photo")
    )
    ((key_hash, request_id, _),) = world.registrar.attested
    assert request_id == phone.key_id
    expected = {"device_key_hash": key_hash, "request_id": request_id, "now": world.clock()}
    verify_attestation(answer.attestation, world.registrar.key.public_key(), **expected)


async def test_another_key_cannot_have_its_photo_checked_here(world):
    phone, other = await world.enrol(), await world.enrol()
    with refused("not_found"):
        await phone.device.CheckPhoto(
            device_pb2.CheckPhotoRequest(request_id=other.key_id, photo=b"photo")
        )


@pytest.mark.parametrize("photo", [b"", bytes(256 * 1024 + 1)])
async def test_a_photo_of_wrong_size_is_refused(world, photo):
    phone = await world.enrol()
    with refused("invalid_request"):
        await phone.device.CheckPhoto(
            device_pb2.CheckPhotoRequest(request_id=phone.key_id, photo=photo)
        )


@pytest.mark.parametrize("authorisation", ["", "x" * 8193])
async def test_an_authorisation_of_wrong_size_is_refused(world, authorisation):
    phone = await world.enrol()
    with refused("invalid_request"):
        await phone.device.IssueCertificate(
            device_pb2.IssueCertificateRequest(authorisation=authorisation)
        )


async def test_before_its_pkcs10_a_key_has_no_certificate(world):
    phone = await world.enrol()
    with refused("not_found"):
        await phone.device.IssueCertificate(
            device_pb2.IssueCertificateRequest(authorisation="authorisation")
        )
    with pytest.raises(NotFoundError):
        await world.collection.certificates.of_key(phone.key_id)


async def test_requests_go_to_the_newest_phone_of_a_person(world):
    old = await world.person(PERSON)
    new = await world.person(PERSON)
    request_id = await create(await world.signing())
    assert world.vault.registered[request_id].key_id == new.key_id
    await old.device.IssueCertificate(
        device_pb2.IssueCertificateRequest(authorisation="authorisation")
    )
    again = await create(await world.signing())
    assert world.vault.registered[again].key_id == new.key_id


async def test_a_certificate_without_a_person_is_not_kept(world):
    phone = await world.enrol()
    citizen = new_citizen(world.clock.now)
    world.vault.citizens[phone.key_id] = type(citizen)(
        certificate=citizen.chain[1],  # the CA's
        key=citizen.key,
        issuing=citizen.issuing,
        root=citizen.root,
    )
    with refused("verification"):
        await phone.device.IssueCertificate(
            device_pb2.IssueCertificateRequest(authorisation="authorisation")
        )
