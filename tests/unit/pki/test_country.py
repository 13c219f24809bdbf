import pytest

from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.pki.countries import bundled_country
from signer_core.pki.country import parse_country
from signer_core.pki.subject import Subject, check_subject
from tests.fakes.pki import SUBJECT, ukraine


def changed(**fields: str) -> Subject:
    values = {name: getattr(SUBJECT, name) for name in Subject.__slots__} | fields
    return Subject(**values)


def test_a_made_up_person_passes() -> None:
    check_subject(SUBJECT, ukraine())


@pytest.mark.parametrize("digit", [d for d in "0123456789" if d != SUBJECT.rnokpp[-1]])
def test_every_wrong_check_digit_is_refused(digit: str) -> None:
    with pytest.raises(InvalidRequestError, match="check digit"):
        check_subject(changed(rnokpp=SUBJECT.rnokpp[:-1] + digit), ukraine())


@pytest.mark.parametrize("rnokpp", ["", "123456789", "12345678901", "123456789a", "١٢٣٤٥٦٧٨٩٠"])
def test_an_rnokpp_of_wrong_form_is_refused(rnokpp: str) -> None:
    with pytest.raises(InvalidRequestError, match="RNOKPP"):
        check_subject(changed(rnokpp=rnokpp), ukraine())


@pytest.mark.parametrize("unzr", ["", "1987031201234", "19870312-1234", "19870312-01234\n"])
def test_an_unzr_of_wrong_form_is_refused(unzr: str) -> None:
    with pytest.raises(InvalidRequestError, match="UNZR"):
        check_subject(changed(unzr=unzr), ukraine())


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\u202eb", " padded", "nul\0"])
@pytest.mark.parametrize("field", ["common_name", "surname", "given_name"])
def test_a_name_that_cannot_be_shown_is_refused(field: str, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="name"):
        check_subject(changed(**{field: name}), ukraine())


def test_errors_do_not_repeat_the_number() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_subject(changed(rnokpp="3184710699"), ukraine())
    assert "3184710699" not in str(caught.value)


def test_the_serial_number_names_the_country() -> None:
    assert ukraine().subject_serial_number("3184710691") == "TINUA-3184710691"


@pytest.mark.parametrize("code", ["xx", "../ua", "ua.toml", ""])
def test_an_unknown_country_is_not_found(code: str) -> None:
    with pytest.raises(NotFoundError):
        bundled_country(code)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('code = "UA"', 'code = "Ukraine"'),
        ('"type-esign"]', '"type-nonsense"]'),
        ("1.2.804.2.1.1.1.2.4", "1.2.x"),
        ("languages =", "tongues ="),
        ('code = "UA"', "code = "),
    ],
)
def test_a_wrong_profile_is_refused(old: str, new: str) -> None:
    text = bundled_country("ua")
    assert old in text
    with pytest.raises(InvalidRequestError, match="country profile"):
        parse_country(text.replace(old, new))
