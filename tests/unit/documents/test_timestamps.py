"""`verify_timestamp` by its recipe, and the answer's nonce: what only each step refuses."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from signer_core.documents import verify_timestamp
from signer_core.errors import UnavailableError, VerificationError
from signer_core.pki.issuing import end_entity, finish, key_usage, start_under
from signer_core.pki.timestamp import rejection
from signer_core.pki.timestamp_request import TimestampFailure
from signer_core.seals.trust import TrustTimestamper, _timestamp_request
from tests.fakes import pki
from tests.fakes.seals import FakeTrust, Pki, now, to_der

DIGEST = hashlib.sha256(b"signature").digest()


@pytest.fixture(scope="module")
def made():
    return Pki()


def token(trust, digest=DIGEST):
    return asyncio.run(TrustTimestamper(trust).timestamp(digest))


def verify(made, data, at=None, issuers=None):
    if issuers is None:
        issuers = [to_der(made.cas.issuing.certificate)]
    return verify_timestamp(data, DIGEST, issuers=issuers, now=at or now())


def stamping_with(made, usages, *, critical=True, at=None):
    """Trust services whose TSA certificate says something else."""
    issuing, at = made.cas.issuing, at or now() - timedelta(days=1)
    builder = end_entity(
        start_under(
            issuing,
            pki.issuance(at),
            made.tsa_key.public_key(),
            x509.Name([]),
            timedelta(hours=12),
        )
    ).add_extension(key_usage("digital_signature"), critical=True)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=critical)
    trust = FakeTrust(Pki.__new__(Pki))
    trust.pki.__dict__.update(made.__dict__, tsa=finish(builder, issuing))
    return trust


def test_a_timestamp_of_ours_is_accepted(made):
    found = verify(made, token(FakeTrust(made)))
    assert found == [to_der(made.tsa), to_der(made.cas.issuing.certificate)]


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x00" * 9000, DIGEST])
def test_1_what_is_no_token_is_refused(made, data):
    with pytest.raises(VerificationError):
        verify(made, data)


def test_2_of_something_else_is_refused(made):
    with pytest.raises(VerificationError, match="something else"):
        verify(made, token(FakeTrust(made), hashlib.sha256(b"other").digest()))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_3_of_another_time_is_refused(made, minutes):
    with pytest.raises(VerificationError, match="another time"):
        verify(made, token(FakeTrust(made)), now() + timedelta(minutes=minutes))


def test_4_whose_content_was_changed_is_refused(made):
    """Another imprint in the content, while the signature is of the first."""
    other = hashlib.sha256(b"other").digest()
    changed = token(FakeTrust(made), other).replace(other, DIGEST)
    with pytest.raises(VerificationError, match="not of its own content"):
        verify(made, changed)


def test_4_with_a_wrong_signature_is_refused(made):
    data = token(FakeTrust(made))
    signature = cms.ContentInfo.load(data)["content"]["signer_infos"][0]["signature"].native
    wrong = made.tsa_key.sign(b"something else", pki.ec.ECDSA(hashes.SHA256()))
    while len(wrong) != len(signature):
        wrong = made.tsa_key.sign(b"something else", pki.ec.ECDSA(hashes.SHA256()))
    with pytest.raises(VerificationError, match="not signed by"):
        verify(made, data.replace(signature, wrong))


@pytest.mark.parametrize(
    ("usages", "critical"),
    [
        ([], True),
        ([ExtendedKeyUsageOID.EMAIL_PROTECTION], True),
        ([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.EMAIL_PROTECTION], True),
        ([ExtendedKeyUsageOID.TIME_STAMPING], False),
    ],
    ids=["none", "another", "two", "not critical"],
)
def test_5_by_a_certificate_for_something_else_is_refused(made, usages, critical):
    trust = stamping_with(made, usages, critical=critical, at=now() - timedelta(hours=1))
    with pytest.raises(VerificationError, match="not by an authority for timestamps"):
        verify(made, token(trust))


def test_5_by_an_authority_that_is_not_ours_is_refused(made):
    with pytest.raises(VerificationError, match="not by an authority that is trusted"):
        verify(made, token(FakeTrust(Pki())))


def test_5_by_a_certificate_that_has_ended_is_refused(made):
    trust = stamping_with(made, [ExtendedKeyUsageOID.TIME_STAMPING])
    with pytest.raises(VerificationError, match="ended"):
        verify(made, token(trust))


def test_an_answer_to_another_request_is_refused(made):
    trust = FakeTrust(made)
    first = asyncio.run(trust.timestamp(request(DIGEST)))
    trust.spoil = lambda _: first
    with pytest.raises(VerificationError, match="not the answer"):
        token(trust)


def request(digest):
    return _timestamp_request(digest, 7)


def test_a_rejection_is_an_authority_that_is_away(made):
    trust = FakeTrust(made)
    trust.spoil = lambda _: rejection(TimestampFailure.TIME_NOT_AVAILABLE)
    with pytest.raises(UnavailableError):
        token(trust)


@pytest.mark.parametrize("answer", [b"", b"\x30\x00", b"\xff" * 100])
def test_an_answer_that_cannot_be_read_is_refused(made, answer):
    trust = FakeTrust(made)
    trust.spoil = lambda _: answer
    with pytest.raises(VerificationError):
        token(trust)
