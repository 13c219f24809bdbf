"""A corrupt signer between phone, registrar and vault during enrolment."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mobile_share import enrolment
from mobile_share.errors import AlreadyEnrolledError, NotEnrolledError
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from signer_core.errors import ProtocolAbortError, SignerError, VerificationError
from signer_core.identifiers import KeyId
from tests.fakes.citizen import NOW, new_key
from tests.fakes.phone_fixtures import PIN, enrol
from tests.fakes.phone_pki import PERSON, Pki, pem, sign_jws
from tests.fakes.phone_vault import FakeVault
from tests.fakes.phone_world import CODE

STRANGER = PERSON | {"common_name": "Інша Особа", "surname": "Інша", "given_name": "Особа"}


async def begin_refused(phone, world, match):
    with pytest.raises(VerificationError, match=match):
        await enrolment.begin(phone, world.signer, CODE, b"photo", NOW)
    assert not (phone.folder / "grant").exists()


async def test_authorisation_of_another_person_under_the_own_name_is_refused(phone, world):
    """The vault would certify the stranger; the person would confirm the own name."""
    world.signer.claim_changes = {"subject": STRANGER}
    await begin_refused(phone, world, "another person")


@pytest.mark.parametrize(
    "claims", [{"key_id": "00" * 16}, {"device_key": "00" * 32}, {"vault": "vault-2"}]
)
async def test_authorisation_for_another_key_phone_or_vault_is_refused(phone, world, claims):
    world.signer.claim_changes = claims
    await begin_refused(phone, world, "another phone or vault")


@pytest.mark.parametrize("token", ["", "a.b.c", "нема", "e30.e30."])
async def test_malformed_authorisation_is_refused(phone, world, token):
    world.signer.grant_changes = {"authorisation": token}
    await begin_refused(phone, world, "did not sign")


async def test_authorisation_signed_by_another_key_is_refused(phone, world):
    """Also one that a corrupt vault would take: the phone has the registrar's key itself."""
    world.pki.registrar_key = new_key()
    await begin_refused(phone, world, "did not sign")


@pytest.mark.parametrize(
    ("claims", "typ", "match"),
    [
        ({"key_id": "00" * 16}, "enrolment-authorisation+jwt", "malformed"),
        ({}, "photo-attestation+jwt", "another kind"),
    ],
)
async def test_other_statements_of_the_registrar_are_refused(phone, world, claims, typ, match):
    token = sign_jws(claims, world.pki.registrar_key, typ)
    world.signer.grant_changes = {"authorisation": token}
    await begin_refused(phone, world, match)


async def test_grant_for_another_vault_is_refused(phone, world):
    world.signer.grant_changes = {"vault_id": "vault-2"}
    await begin_refused(phone, world, "another person or vault")


async def test_key_id_that_is_not_the_authorised_one_is_refused(phone, world):
    world.signer.grant_changes = {"key_id": KeyId(b"x" * 16)}
    await begin_refused(phone, world, "another phone or vault")


async def test_device_certificate_of_another_phone_is_refused(phone, world, tmp_path):
    other = Phone(tmp_path / "o", FileKeyStore(tmp_path / "o"), world.deployment)
    await enrolment.begin(other, world.signer, CODE, b"photo", NOW)
    csr = enrolment.make_csr(other.key_store.device_key())
    chain = (await world.signer.begin(CODE, csr, b"")).device_chain
    world.signer.grant_changes = {"device_chain": chain}
    await begin_refused(phone, world, "another phone")


@pytest.mark.parametrize("chain", [(), (b"nonsense",)])
async def test_malformed_device_certificate_is_refused(phone, world, chain):
    world.signer.grant_changes = {"device_chain": chain}
    await begin_refused(phone, world, "certificate")


async def test_device_certificate_of_another_root_is_refused(phone, world):
    world.pki.devices = Pki().devices
    await begin_refused(phone, world, "pinned root")


async def certificate_refused(phone, world, match):
    with pytest.raises(VerificationError, match=match):
        await enrol(phone, world)
    assert not phone.is_enrolled
    with pytest.raises(NotEnrolledError):
        phone.certificate()


async def test_certificate_on_another_key_is_refused(phone, world):
    """Whoever has that key would sign in the person's name."""
    point = new_key().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    world.signer.chain = world.pki.citizen(point)
    await certificate_refused(phone, world, "own key")


def certified_by(world, make):
    """Answer with what `make` makes of Q, once the vault has it."""
    honest = world.signer.issue_certificate

    async def issue(authorisation):
        await honest(authorisation)
        (key,) = world.vault.keys.values()
        return make(key.share.public_key)

    world.signer.issue_certificate = issue


async def test_certificate_of_another_root_is_refused(phone, world):
    certified_by(world, Pki().citizen)
    await certificate_refused(phone, world, "pinned root")


async def test_certificate_by_an_end_entity_is_refused(phone, world):
    """A device certificate of the same root is no CA."""
    certified_by(world, lambda point: world.pki.citizen(point)[:1])
    await certificate_refused(phone, world, "pinned root")


async def test_certificate_in_another_name_is_refused(phone, world):
    certified_by(world, lambda point: world.pki.citizen(point, person=STRANGER))
    await certificate_refused(phone, world, "another person")


async def test_certificate_for_another_use_is_refused(phone, world):
    certified_by(world, lambda point: world.pki.citizen(point, usage=("digital_signature",)))
    await certificate_refused(phone, world, "not for signing documents")


async def test_certificate_for_more_uses_is_refused(phone, world):
    uses = ("content_commitment", "key_agreement")
    certified_by(world, lambda point: world.pki.citizen(point, usage=uses))
    await certificate_refused(phone, world, "not for signing documents")


async def test_vault_of_another_name_is_refused(phone, world, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    world.signer.vault = FakeVault(world.pki, folder, vault_id="vault-2")
    with pytest.raises(ProtocolAbortError):
        await enrol(phone, world)
    assert not phone.has_share


async def test_vault_under_another_root_is_refused(phone, world, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = Pki()
    other.devices = world.pki.devices
    world.signer.vault = FakeVault(other, folder)
    with pytest.raises(ProtocolAbortError):
        await enrol(phone, world)
    assert not phone.has_share


async def test_vault_that_cheats_about_its_share_leaves_nothing_on_the_phone(phone, world):
    def swap(offer):
        return dataclasses.replace(offer, transfer_points=offer.transfer_points[::-1])

    world.vault.hooks["row4"] = swap
    with pytest.raises(SignerError):
        await enrol(phone, world)
    assert not phone.has_share
    assert not world.vault.keys


async def test_second_enrolment_into_the_same_folder_is_refused(enrolled, world):
    before = {path: path.read_bytes() for path in enrolled.folder.iterdir()}
    with pytest.raises(AlreadyEnrolledError):
        await enrol(enrolled, world)
    assert {path: path.read_bytes() for path in enrolled.folder.iterdir()} == before


async def test_pinned_deployment_is_the_one_of_the_enrolment(phone, world):
    await enrol(phone, world, PIN)
    assert pem(world.pki.root.certificate) in (
        (phone.folder / "deployment.json").read_text().replace("\\n", "\n")
    )
