"""No other bytes than the right ones are ever accepted for signing."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core.documents import signed_attributes
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed import (
    byte_range_digest,
    make_pkcs10_info,
    verify_cms,
    verify_pkcs10,
)
from tests.fakes import handmade
from tests.fakes.citizen import Citizen

FILE = hashlib.sha256(b"file").digest()
CERTIFICATE = hashlib.sha256(b"certificate").digest()
ATTRIBUTES = signed_attributes(FILE, b"certificate")
POINT = Citizen.make().public_point
INFO = make_pkcs10_info(POINT)
PDF = handmade.unsigned()


@st.composite
def mutations(draw: st.DrawFn, original: bytes) -> bytes:
    """Flip, drop, repeat or insert bytes at one or more places; never the original."""
    changed = bytearray(original)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(changed)))
        length = draw(st.integers(0, 8))
        kind = draw(st.sampled_from(["replace", "insert", "repeat", "drop"]))
        if kind == "replace":
            changed[at : at + length] = draw(st.binary(max_size=8))
        elif kind == "insert":
            changed[at:at] = draw(st.binary(max_size=8))
        elif kind == "repeat":
            changed[at:at] = changed[at : at + length]
        else:
            del changed[at : at + length]
    return bytes(changed)


@given(mutations(ATTRIBUTES))
def test_changed_attributes_are_refused(der):
    if der == ATTRIBUTES:
        return
    with pytest.raises(VerificationError):
        verify_cms(der, file_hashes=[FILE], certificate_sha256=CERTIFICATE)


@given(st.binary(max_size=2000))
def test_any_bytes_as_attributes_are_refused(der):
    with pytest.raises(VerificationError):
        verify_cms(der, file_hashes=[FILE], certificate_sha256=CERTIFICATE)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_attributes_of_another_file_or_certificate_are_refused(other_file, other_certificate):
    if other_file == FILE or other_certificate == CERTIFICATE:
        return
    for files, certificate in (([other_file], CERTIFICATE), ([FILE], other_certificate)):
        with pytest.raises(VerificationError):
            verify_cms(ATTRIBUTES, file_hashes=files, certificate_sha256=certificate)


@given(mutations(INFO))
def test_changed_certificate_request_is_refused(der):
    if der == INFO:
        return
    with pytest.raises(VerificationError):
        verify_pkcs10(der, public_key=POINT)


@given(st.binary(max_size=70))
def test_any_bytes_as_public_key_are_a_point_or_refused(public_key):
    with contextlib.suppress(InvalidRequestError):
        verify_pkcs10(make_pkcs10_info(public_key), public_key=public_key)
        assert len(public_key) == 33


@given(mutations(PDF))
def test_changed_document_has_another_digest_or_none(pdf):
    if handmade.covered(pdf) == handmade.covered(PDF):
        return
    with contextlib.suppress(InvalidRequestError):
        assert byte_range_digest(pdf) != byte_range_digest(PDF)


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), min_size=4, max_size=4))
def test_any_byte_range_is_answered_with_a_digest_or_the_typed_error(content, numbers):
    pdf = content + b"/ByteRange [%d %d %d %d]" % tuple(numbers)
    with contextlib.suppress(InvalidRequestError):
        assert len(byte_range_digest(pdf)) == 32
