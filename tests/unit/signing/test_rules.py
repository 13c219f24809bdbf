"""signer_core.signing.rules at their edges."""

import pytest

from signer_core.errors import InvalidRequestError
from signer_core.signing import rules

MIB = 1024 * 1024


def test_names_fit_to_be_written_are_taken():
    rules.check_names(["Договір № 1.pdf", "x" * 200, "a b (2).pdf", "звіт’.pdf"])


@pytest.mark.parametrize("names", [[], [f"{n}" for n in range(65)]])
def test_a_request_has_1_to_64_files(names):
    with pytest.raises(InvalidRequestError, match="1 to 64"):
        rules.check_names(names)


@pytest.mark.parametrize("pair", [("a.pdf", "A.PDF"), ("\u212b.pdf", "\u00c5.pdf")])
def test_two_names_that_a_file_system_may_take_for_one_are_refused(pair):
    with pytest.raises(InvalidRequestError, match="same name"):
        rules.check_names(pair)


def test_sizes_up_to_the_limits_are_taken():
    rules.check_sizes([20 * MIB] * 5)
    rules.check_sizes([1])


@pytest.mark.parametrize("sizes", [[0], [20 * MIB + 1], [20 * MIB] * 5 + [1]])
def test_sizes_over_the_limits_are_refused(sizes):
    with pytest.raises(InvalidRequestError):
        rules.check_sizes(sizes)


@pytest.mark.parametrize(("asked", "taken"), [(0, 900), (30, 30), (86_400, 86_400)])
def test_the_time_is_what_was_asked_or_the_usual(asked, taken):
    assert rules.check_ttl(asked) == taken


@pytest.mark.parametrize("asked", [1, 29, 86_401])
def test_other_times_are_refused(asked):
    with pytest.raises(InvalidRequestError):
        rules.check_ttl(asked)
