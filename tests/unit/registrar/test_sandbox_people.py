"""The made-up people: right numbers, right Latin names, right outcome."""

from datetime import date
from pathlib import Path

import pytest

from scripts.make_sandbox_people import DOCUMENT, render
from signer_core.errors import DeniedError, NotFoundError, UnavailableError
from signer_core.identity.ports import Occasion
from signer_core.identity.sandbox.people import OUTCOMES, Sandbox, load_people
from signer_core.pki.subject import check_subject
from tests.fakes.pki import ukraine

PEOPLE = load_people()

# Cabinet of Ministers of Ukraine, resolution 55 of 27 January 2010: at the start of a word, else
_TABLE = {
    **dict(zip("абвгґдежзиіклмнопрстуф", "abvhgdezhzyiklmnoprstuf", strict=False)),
    **{"ж": "zh", "з": "z", "и": "y", "і": "i", "к": "k", "л": "l", "м": "m", "н": "n"},
    **{"о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh"},
    **{"ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ь": "", "'": ""},
    **{"є": "ie", "ї": "i", "й": "i", "ю": "iu", "я": "ia"},
}
_FIRST = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}


def latin(word: str) -> str:
    letters = word.lower().replace("зг", "z|h").replace("|", "g")
    first, rest = letters[0], letters[1:]
    start = _FIRST.get(first, _TABLE.get(first, first))
    return (start + "".join(_TABLE.get(one, one) for one in rest)).capitalize()


def test_the_test_s_own_table_is_right():
    assert [latin(word) for word in ("Згурський", "Щербухи", "Юрій", "Знам'янка")] == [
        "Zghurskyi",
        "Shcherbukhy",
        "Yurii",
        "Znamianka",
    ]  # the resolution's own examples


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_names_in_latin_letters_follow_the_official_table(person):
    assert (person.surname_latin, person.given_name_latin) == (
        latin(person.surname),
        latin(person.given_name),
    )


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_the_rnokpp_tells_birth_date_and_sex_and_has_its_check_digit(person):
    number = person.rnokpp
    assert int(number[:5]) == (person.birth_date - date(1899, 12, 31)).days
    assert (int(number[8]) % 2 == 1) == (person.sex == "male")
    weighted = sum(w * int(d) for w, d in zip((-1, 5, 7, 9, 4, 6, 10, 5, 7), number, strict=False))
    assert weighted % 11 % 10 == int(number[9])


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_the_unzr_begins_with_the_birth_date(person):
    assert person.unzr[:9] == f"{person.birth_date:%Y%m%d}-"
    assert len(person.unzr) == 14
    assert person.unzr[9:].isdigit()


def test_there_is_somebody_for_each_outcome_and_nobody_twice():
    assert len(PEOPLE) >= 12
    assert {person.behaviour for person in PEOPLE.values()} == set(OUTCOMES)
    assert sum(person.behaviour == "approves" for person in PEOPLE.values()) >= 3
    for attribute in ("rnokpp", "unzr", "full_name"):
        assert len({getattr(person, attribute) for person in PEOPLE.values()}) == len(PEOPLE)
    assert {p.document for p in PEOPLE.values()} == {"id-card", "biometric-passport", "booklet"}


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
async def test_the_outcome_is_the_one_in_the_list(person):
    sandbox = Sandbox(PEOPLE)
    errors = {
        "refuses": DeniedError,
        "blocked": DeniedError,
        "revoked": DeniedError,
        "booklet": DeniedError,
        "times-out": UnavailableError,
    }
    if person.behaviour in errors:
        with pytest.raises(errors[person.behaviour]):
            await sandbox.identify(person.person_id)
        return
    check_subject((await sandbox.identify(person.person_id)).subject, ukraine())
    for occasion in Occasion:
        if person.behaviour == f"photo-fails-at-{occasion}":
            with pytest.raises(DeniedError):
                await sandbox.verify_photo(person.person_id, occasion, b"photo")
        else:
            await sandbox.verify_photo(person.person_id, occasion, b"photo")


async def test_a_booklet_never_enrols():
    booklets = [one for one in PEOPLE.values() if one.document == "booklet"]
    assert booklets
    assert {one.behaviour for one in booklets} == {"booklet"}


async def test_a_stranger_is_not_found():
    with pytest.raises(NotFoundError):
        await Sandbox(PEOPLE).identify("nobody")


def test_the_page_for_developers_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run scripts/make_sandbox_people.py"
    assert isinstance(DOCUMENT, Path)
