"""Texts, settings and the shelf of the browser phone."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from mobile_share import errors as phone_errors
from mobile_share.simulator.settings import SimulatorSettings
from mobile_share.simulator.web import texts
from mobile_share.simulator.web.texts import TEXTS, Words
from mobile_share.simulator.web.trouble import PageError, explain
from signer_core import errors as core_errors

TEMPLATES = Path(texts.__file__).parents[1] / "templates"
PAGES = "".join(one.read_text() for one in TEMPLATES.glob("*.html"))


def fields(text):
    return sorted(re.findall(r"{(\w+)}", text))


def test_both_languages_say_the_same_things():
    uk, en = TEXTS["uk"], TEXTS["en"]
    assert uk.keys() == en.keys()
    assert {key: fields(uk[key]) for key in uk} == {key: fields(en[key]) for key in en}


def test_every_text_of_a_template_is_there():
    wanted = set(re.findall(r"""\bt\(["'](\w+)["']""", PAGES))
    assert len(wanted) > 80
    for start in (
        "nav_",
        "kind_",
        "status_",
        "settings_key_",
        "behaviour_",
    ):  # completed by a value
        wanted.remove(start)
    assert wanted <= TEXTS["uk"].keys()


def test_what_happens_to_a_made_up_person_is_said_in_words():
    page = (Path(__file__).parents[3] / "docs/sandbox-people.md").read_text()
    named = re.findall(r"^\| ([a-z-]+) \| [a-z]", page.split("| behaviour | what")[1], re.M)
    assert len(named) == 8
    assert {f"behaviour_{one}" for one in named} <= TEXTS["uk"].keys()


def all_errors(module, base):
    return [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, base)]


@pytest.mark.parametrize("language", ["uk", "en"])
def test_every_refusal_has_words(language):
    words = Words(language)
    made = {
        core_errors.PinRejectedError: (7,),
        core_errors.KeyHeldError: (60,),
        phone_errors.WeakPinError: ("weak", "run"),
    }
    kinds = all_errors(phone_errors, phone_errors.PhoneError)
    kinds += all_errors(core_errors, core_errors.SignerError)
    for kind in set(kinds) - {phone_errors.PhoneError, core_errors.SignerError}:
        trouble = explain(kind(*made.get(kind, ("because",))), words, 0)
        assert trouble.text != words("error_internal"), kind
    for fault in ("form", "same", "run", "common", "birth", "old"):
        assert explain(phone_errors.WeakPinError("x", fault), words, 0).text


def test_an_error_of_the_pages_has_its_own_words():
    assert explain(PageError("error_no_qr"), Words("en"), 0).text == TEXTS["en"]["error_no_qr"]


@pytest.mark.parametrize("listen", ["0.0.0.0:7442", "192.168.1.2:7442", "host:7442", "127.0.0.1"])
def test_it_listens_on_loopback_only(listen):
    with pytest.raises(ValidationError):
        SimulatorSettings(listen=listen, phones=Path("x"), deployment=Path("y"))


def test_a_wait_is_rounded_up():
    words = Words("en")
    assert [words.wait(one) for one in (0, 59, 61, 3601)] == ["0 s", "59 s", "2 min", "1 h 1 min"]
