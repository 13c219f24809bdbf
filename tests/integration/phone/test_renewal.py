"""Renewing a certificate as a person types it; what the phone does not believe."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mobile_share import renewal
from mobile_share.cli import renew, requests, status
from signer_core.errors import VerificationError
from tests.fakes.citizen import NOW, new_key
from tests.fakes.phone_pki import PERSON

PIN = "48213"


@pytest.fixture
async def near(world, enrolled, monkeypatch):
    """A phone whose certificate ends in 20 days."""
    world.signer.certificate = enrolled.certificate().public_bytes(Encoding.DER)
    now = enrolled.certificate().not_valid_after_utc - timedelta(days=20)
    for module in (renew, requests, status):
        monkeypatch.setattr(module, "now_utc", lambda: now)
    return enrolled


async def confirm(phone, world):
    async with renewal.prepare(phone, world.signer, b"photo") as session:
        await session.sign(PIN)


def test_the_owner_is_told_when_and_what_to_do(run, near):
    said = "run `signer-phone renew` before"
    assert said in run("status").output
    assert said in run("requests").output


def test_the_owner_is_told_nothing_before(run, enrolled):
    assert "signer-phone renew" not in run("status").output + run("requests").output


def test_a_new_certificate_takes_the_place_of_the_one_before(run, near):
    before, device = near.certificate(), near.identity().certificate_chain
    result = run("renew", "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert "Your certificate is new" in result.output
    assert near.certificate() != before
    assert near.certificate().public_key() == before.public_key()
    assert near.identity().certificate_chain != device


def test_a_wrong_pin_renews_nothing(run, near):
    before = near.certificate()
    assert run("renew", "--pin-stdin", stdin="13570\n").exit_code == 10
    assert near.certificate() == before


async def test_a_lost_answer_is_fetched_again_without_the_pin(near, world):
    before = near.certificate()
    await confirm(near, world)
    await renewal.fetch(near, world.signer, NOW)
    assert near.certificate() != before


async def test_a_signer_that_names_another_certificate_is_refused(near, world):
    world.signer.certificate = b"another"
    with pytest.raises(Exception, match="not the one that was registered"):
        await confirm(near, world)


@pytest.mark.parametrize(
    ("swap", "why"),
    [
        (lambda world, q: world.pki.citizen(stranger()), "own key"),
        (lambda world, q: world.pki.citizen(q, PERSON | {"surname": "Інша"}), "another person"),
        (lambda world, q: world.pki.citizen(q, usage=("digital_signature",)), "signing documents"),
    ],
)
async def test_a_wrong_certificate_is_not_stored(near, world, swap, why):
    before, device = near.certificate(), near.identity().certificate_chain
    await confirm(near, world)
    world.signer.chain = swap(world, near.shares.load().share.public_key)
    with pytest.raises(VerificationError, match=why):
        await renewal.fetch(near, world.signer, NOW)
    assert (near.certificate(), near.identity().certificate_chain) == (before, device)


async def test_a_device_certificate_of_another_phone_is_not_stored(near, world, monkeypatch):
    before = near.certificate()
    await confirm(near, world)
    monkeypatch.setattr(renewal, "make_csr", lambda _: csr_of_a_stranger())
    with pytest.raises(VerificationError, match="another phone"):
        await renewal.fetch(near, world.signer, NOW)
    assert near.certificate() == before


def stranger():
    return new_key().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def csr_of_a_stranger():
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER)
