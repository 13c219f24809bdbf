"""Both languages say everything, and the right one is chosen."""

import re
import string
from pathlib import Path

import pytest
from starlette.requests import Request

import portal_web
from portal_web.design.texts import LANGUAGES, language_of, load_texts

ROOT = Path(portal_web.__file__).parent
TEXTS = load_texts()


def _request(query="", cookie="", accept=""):
    headers = [(b"accept-language", accept.encode()), (b"cookie", cookie.encode())]
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


def test_both_languages_have_the_same_names():
    names = {language: set(texts.by_name) for language, texts in TEXTS.items()}
    assert names["uk"] == names["en"]
    assert len(names["uk"]) > 40


def test_a_text_has_the_same_places_in_both_languages():
    def places(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    uk, en = (TEXTS[language].by_name for language in LANGUAGES)
    assert [name for name in uk if places(uk[name]) != places(en[name])] == []


def test_every_text_says_something_in_its_own_letters():
    for language, letters in (("uk", "[а-яіїєґ]"), ("en", "[a-z]")):
        for name, text in TEXTS[language].by_name.items():
            assert text.strip() == text, name
            own_name = name.startswith("design.language.")
            assert own_name or re.search(letters, text, re.I), (language, name)


def test_ukrainian_has_its_own_apostrophe_and_quotation_marks():
    straight = [n for n, text in TEXTS["uk"].by_name.items() if re.search(r"['\"]", text)]
    assert straight == []


def test_every_text_that_a_template_names_is_there():
    for template in ROOT.glob("*/templates/*.html"):
        for name in re.findall(r'\bt\("([a-z0-9_.]+)"[,)]', template.read_text()):
            assert name in TEXTS["uk"].by_name, (template.name, name)


def test_a_short_ukrainian_word_holds_on_to_the_next_one():
    assert "і\N{NO-BREAK SPACE}PIN-кодом із\N{NO-BREAK SPACE}п’яти" in TEXTS["uk"]("home.lead")
    assert "\N{NO-BREAK SPACE}" not in TEXTS["en"]("home.lead")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, "uk"),
        ({"accept": "en-GB,en;q=0.9"}, "en"),
        ({"accept": "de,en;q=0.5,uk;q=0.8"}, "uk"),
        ({"accept": "en;q=0,fr"}, "uk"),
        ({"accept": "en;q=x,;;,q=1"}, "uk"),
        ({"accept": "UK-ua"}, "uk"),
        ({"cookie": "lang=en", "accept": "uk"}, "en"),
        ({"cookie": "lang=xx", "accept": "en"}, "en"),
        ({"query": "lang=uk", "cookie": "lang=en"}, "uk"),
        ({"query": "lang=<script>", "accept": "en"}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_then_the_chosen_then_the_preferred(asked, chosen):
    assert language_of(_request(**asked)) == chosen
