"""The national number in a certificate's serialNumber."""

import pytest

from signer_core.errors import VerificationError
from signer_core.keys.certificates import parse_person_code


@pytest.mark.parametrize(
    ("serial_number", "code"),
    [("TINUA-1234567899", "1234567899"), ("PNOEE-30303039914", "30303039914")],
)
def test_the_number_follows_type_and_country(serial_number, code):
    assert parse_person_code(serial_number) == code


@pytest.mark.parametrize("serial_number", ["", "1234567899", "TINUA-", "TINU-1", "tinua-1", "-1"])
def test_anything_else_is_no_number(serial_number):
    with pytest.raises(VerificationError):
        parse_person_code(serial_number)
