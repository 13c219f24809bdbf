from datetime import date

import pytest

from mobile_share.errors import WeakPinError
from mobile_share.weak_pins import MOST_COMMON, verify_new_pin

BORN = date(1990, 3, 7)


@pytest.mark.parametrize("pin", ["1234", "123456", "12a45", "", "١٢٣٤٥", "1234 "])
def test_anything_but_five_ascii_digits_is_refused(pin):
    with pytest.raises(WeakPinError, match="exactly five digits"):
        verify_new_pin(pin)


@pytest.mark.parametrize("digit", "0123456789")
def test_equal_digits_are_refused(digit):
    with pytest.raises(WeakPinError, match="the same"):
        verify_new_pin(digit * 5)


@pytest.mark.parametrize("pin", ["23456", "65432", "78901", "10987", "90123"])
def test_runs_up_and_down_and_round_are_refused(pin):
    with pytest.raises(WeakPinError, match="count up or down"):
        verify_new_pin(pin)


def test_the_list_of_most_common_pins_has_twenty():
    assert len(MOST_COMMON) == 20


@pytest.mark.parametrize("pin", ["13579", "38317", "90210", "42069", "00700", "12321"])
def test_most_common_pins_are_refused(pin):
    with pytest.raises(WeakPinError, match="twenty most common"):
        verify_new_pin(pin)


@pytest.mark.parametrize("pin", ["07039", "07031", "19900", "90030", "71990", "37199", "73199"])
def test_digits_of_the_birth_date_are_refused_where_it_is_known(pin):
    verify_new_pin(pin)
    with pytest.raises(WeakPinError, match="birth date"):
        verify_new_pin(pin, BORN)


def test_few_pins_are_refused_in_all():
    refused = 0
    for number in range(100_000):
        try:
            verify_new_pin(f"{number:05}", BORN)
        except WeakPinError:
            refused += 1
    assert 20 < refused < 100  # the rest must stay hard to guess
