"""`verify_cades` by its recipe: what only each step refuses."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core.errors import VerificationError
from signer_core.protocol.to_be_signed import encode_cades, encode_cms, verify_cades

NOW = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
FILE, CERTIFICATE = hashlib.sha256(b"file").digest(), hashlib.sha256(b"certificate").digest()
OTHER = hashlib.sha256(b"other").digest()
GOOD = encode_cades(FILE, CERTIFICATE, NOW)


def verify(der, now=NOW):
    return verify_cades(der, file_hash=FILE, certificate_sha256=CERTIFICATE, now=now)


def test_what_is_right_passes_and_is_hashed():
    checked = verify(GOOD)
    assert (checked.der, checked.file_hash) == (GOOD, FILE)
    assert checked.digest == hashlib.sha256(GOOD).digest()


@pytest.mark.parametrize(
    "der",
    [
        b"",
        encode_cms(FILE, CERTIFICATE),
        encode_cades(OTHER, CERTIFICATE, NOW),
        encode_cades(FILE, OTHER, NOW),
        GOOD + b"\0",
        GOOD[:-1],
    ],
    ids=["empty", "without a time", "another file", "another certificate", "longer", "cut"],
)
def test_1_other_bytes_are_refused(der):
    with pytest.raises(VerificationError):
        verify(der)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5, seconds=1), timedelta(days=1)])
def test_2_a_time_to_come_is_refused(ahead):
    with pytest.raises(VerificationError, match="not now"):
        verify(GOOD, NOW - ahead)


@pytest.mark.parametrize("age", [timedelta(days=1, minutes=6), timedelta(days=400)])
def test_2_a_time_of_before_the_request_is_refused(age):
    with pytest.raises(VerificationError, match="not now"):
        verify(GOOD, NOW + age)


@pytest.mark.parametrize(
    "later", [timedelta(minutes=-5), timedelta(), timedelta(hours=23), timedelta(days=1, minutes=5)]
)
def test_2_a_request_may_wait_for_a_day(later):
    assert verify(GOOD, NOW + later).file_hash == FILE


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_other_byte_passes_but_another_second(position, change):
    changed = bytearray(GOOD)
    changed[position] ^= change
    try:
        verify(bytes(changed))
    except VerificationError:
        return
    time = GOOD.index(b"261129120030Z")
    assert time <= position < time + 12
