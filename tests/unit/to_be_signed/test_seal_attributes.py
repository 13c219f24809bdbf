"""`verify_seal` by its recipe: what only each step refuses, and that two forms pass."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms, core, tsp

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed import encode_cades, encode_cms, verify_seal
from signer_core.protocol.to_be_signed.cms_attributes import signing_certificate_value

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
CONTENT, CERTIFICATE = hashlib.sha256(b"content").digest(), hashlib.sha256(b"seal").digest()
CADES = encode_cades(CONTENT, CERTIFICATE, NOW)
PADES = encode_cms(CONTENT, CERTIFICATE)


def verify(der, now=NOW):
    return verify_seal(der, certificate_sha256=CERTIFICATE, now=now)


@pytest.mark.parametrize(("der", "form"), [(PADES, "pades"), (CADES, "cades")])
def test_both_forms_pass(der, form):
    checked = verify(der)
    assert (checked.der, checked.form) == (der, form)
    assert checked.digest == hashlib.sha256(der).digest()


def test_the_cades_form_is_what_asn1crypto_reads_and_writes():
    attributes = cms.CMSAttributes.load(CADES, strict=True)
    values = {one["type"].native: one["values"][0].native for one in attributes}
    assert attributes.dump(force=True) == CADES
    assert values["signing_time"] == NOW
    assert values["message_digest"] == CONTENT
    assert set(values) == {
        "content_type",
        "signing_time",
        "message_digest",
        "signing_certificate_v2",
        "cms_algorithm_protection",
    }


@pytest.mark.parametrize("encode", [lambda c: encode_cms(CONTENT, c), None], ids=["pades", "cades"])
def test_1_attributes_of_another_certificate_are_refused(encode):
    other = hashlib.sha256(b"another seal").digest()
    der = encode(other) if encode else encode_cades(CONTENT, other, NOW)
    with pytest.raises(VerificationError, match="not the attributes of a seal"):
        verify(der)


def other_content_type():
    values = {
        "content_type": cms.ContentType("tst_info"),
        "message_digest": core.OctetString(CONTENT),
        "signing_certificate_v2": tsp.SigningCertificateV2.load(
            signing_certificate_value(CERTIFICATE)
        ),
    }
    return cms.CMSAttributes(
        [cms.CMSAttribute({"type": kind, "values": [value]}) for kind, value in values.items()]
    ).dump()


@pytest.mark.parametrize(
    "der",
    [b"", CONTENT, b"\x30" + PADES[1:], PADES + b"\x00", CADES[:-1], other_content_type()],
    ids=["empty", "a digest", "no set", "one byte more", "cut short", "a timestamp"],
)
def test_1_anything_else_is_refused(der):
    with pytest.raises(VerificationError):
        verify(der)


@pytest.mark.parametrize("der", [PADES, CADES], ids=["pades", "cades"])
def test_1_every_bit_but_those_of_digest_and_time_counts(der):
    at = der.index(CONTENT)
    for position in [p for p in range(len(der)) if not at <= p < at + 32]:
        for bit in range(8):
            changed = bytearray(der)
            changed[position] ^= 1 << bit
            try:
                checked = verify(bytes(changed))
            except VerificationError:
                continue
            assert checked.form == "cades"  # another second within five minutes
            assert cms.CMSAttributes.load(bytes(changed), strict=True)


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 60 * 24 * 365])
def test_2_a_time_that_is_not_now_is_refused(minutes):
    with pytest.raises(VerificationError, match="not now"):
        verify(CADES, NOW + timedelta(minutes=minutes))


def test_2_a_clock_may_be_a_little_off():
    assert verify(CADES, NOW + timedelta(minutes=4.9)).form == "cades"
    assert verify(CADES, NOW - timedelta(minutes=4.9)).form == "cades"


@pytest.mark.parametrize("time", [b"26112112003 Z", b"261321120030Z", b"2611211200300"])
def test_2_a_time_that_is_none_is_refused(time):
    with pytest.raises(VerificationError):
        verify(CADES.replace(b"261121120030Z", time))


@pytest.mark.parametrize(
    ("digest", "time"),
    [(b"short", NOW), (CONTENT, NOW.replace(tzinfo=None)), (CONTENT, NOW.replace(year=2050))],
)
def test_what_cannot_be_encoded_is_refused(digest, time):
    with pytest.raises(InvalidRequestError):
        encode_cades(digest, CERTIFICATE, time)
