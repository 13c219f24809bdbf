import inspect
import re
from pathlib import Path

import pytest

from mobile_share import errors as phone
from mobile_share.cli.exit_codes import EXIT_CODES, exit_code
from mobile_share.cli.times import countdown
from signer_core import errors as core


def classes(module, base):
    members = [value for _, value in inspect.getmembers(module, inspect.isclass)]
    return [kind for kind in members if issubclass(kind, base) and kind is not phone.PhoneError]


@pytest.mark.parametrize("kind", classes(core, core.SignerError) + classes(phone, phone.PhoneError))
def test_every_error_has_its_exit_code(kind):
    assert kind in EXIT_CODES


def test_no_two_errors_share_an_exit_code_and_none_is_typers():
    codes = list(EXIT_CODES.values())
    assert len(set(codes)) == len(codes)
    assert 0 not in codes
    assert 2 not in codes


def test_a_subclass_takes_the_code_of_the_nearest_class():
    class NewPinError(core.PinRejectedError):
        pass

    assert exit_code(NewPinError(1)) == EXIT_CODES[core.PinRejectedError]
    assert exit_code(ValueError()) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "60 s"), (61, "2 min"), (3540, "59 min")),
        *((3541, "1 h 0 min"), (10_780, "3 h 0 min"), (10_801, "3 h 1 min")),
    ],
)
def test_countdown_is_rounded_up(seconds, text):
    assert countdown(seconds) == text


def test_exit_codes_are_those_of_the_docs():
    page = Path(__file__).parents[3] / "docs" / "flows" / "sign-pdf.md"
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page.read_text(), re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {
        kind.__name__: code for kind, code in EXIT_CODES.items()
    }
