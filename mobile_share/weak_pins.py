"""Which PINs a thief tries first: nine tries in 100,000 hold only for a PIN he cannot guess."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise, product
from typing import Final

from mobile_share.errors import WeakPinError

PIN_DIGITS: Final = 5

# The most frequent five-digit PINs of the leaked lists analysed by DataGenetics, "PIN analysis"
# (2012). Equal digits and runs are among them; they stand here so that the list is whole.
MOST_COMMON: Final = frozenset(
    {
        *("12345", "11111", "55555", "00000", "54321", "13579", "77777", "22222", "12321", "99999"),
        *("33333", "00700", "90210", "88888", "38317", "09876", "44444", "98765", "01234", "42069"),
    }
)


def verify_pin_form(pin: str) -> None:
    """Check that it is five ASCII digits.

    Raises:
        WeakPinError: anything else.
    """
    if len(pin) != PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
        raise WeakPinError("a PIN is exactly five digits", "form")


def verify_new_pin(pin: str, birth_date: date | None = None) -> None:
    """Check a PIN that a person wants to choose.

    1. Five digits.
    2. Not all equal.
    3. Not a run, up or down, wrapping from 9 to 0.
    4. Not among the twenty most common.
    5. Not the digits of the birth date, where it is known.

    Raises:
        WeakPinError: at the first that fails, with the reason.
    """
    verify_pin_form(pin)  # 1
    if len(set(pin)) == 1:  # 2
        raise WeakPinError("all five digits are the same: choose another PIN", "same")
    if _steps(pin) in ({1}, {9}):  # 3
        raise WeakPinError("the digits only count up or down: choose another PIN", "run")
    if pin in MOST_COMMON:  # 4
        raise WeakPinError("this is one of the twenty most common PINs: choose another", "common")
    if birth_date and pin in set(_date_pins(birth_date)):  # 5
        raise WeakPinError("these are the digits of your birth date: choose another PIN", "birth")


def _steps(pin: str) -> set[int]:
    return {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}


def _date_pins(day: date) -> Iterator[str]:
    """Every five digits in a row of a date: any usual order, with and without leading zeros."""
    days, months = {f"{day:%d}", str(day.day)}, {f"{day:%m}", str(day.month)}
    years = {f"{day.year:04}", f"{day.year % 100:02}"}
    for d, m, y in product(days, months, years):
        for digits in (d + m + y, m + d + y, y + m + d, d + y, m + y):
            last = len(digits) - PIN_DIGITS
            yield from (digits[i : i + PIN_DIGITS] for i in range(last + 1))
