"""Names that a stranger chose."""

import pytest

from signer_core.partners.names import check_name


@pytest.mark.parametrize(
    "name",
    [
        "Моя крамниця",
        "Corner Shop",
        "Кав\u2019ярня №7",
        "IT-компанія",
        "R&D (test), 2026",
        "Київ: біґ-бен",
        "7",
        "a" * 60,
    ],
)
def test_a_plain_name_is_taken(name):
    check_name(name)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("", "1 to 60"),
        ("a" * 61, "1 to 60"),
        ("Bank\u202eknaB", "letters"),  # right-to-left override
        ("Bank\u2066", "letters"),  # isolate
        ("Bank\u200b", "letters"),  # zero width space
        ("Bank\n", "letters"),
        ("Bank\x00", "letters"),
        ("Bank\u00a0A", "letters"),  # a space that is another one
        ("Bank\u2028", "letters"),
        ("Ba\u0301nk", "letters"),  # combining
        ("Ｂank", "letters"),  # fullwidth
        ("Βank", "letters"),  # Greek capital beta
        ("Вanк", "mixes"),  # Cyrillic В, к
        ("pаypal", "mixes"),  # Cyrillic а
        ("монобaнк", "mixes"),  # Latin a
        ("Банкъ", "letters"),  # not a Ukrainian letter
        ("ӏ", "letters"),  # palochka, looks like l
        ("Bank »", "letters"),
        ("Bank”", "letters"),
        ("<b>Bank</b>", "letters"),
        (" Bank", "one space"),
        ("Bank ", "one space"),
        ("My  Bank", "one space"),
        ("...", "one space"),
        ("\U0001f3e6", "letters"),
    ],
)
def test_what_could_pass_for_something_else_is_refused(name, match):
    with pytest.raises(ValueError, match=match):
        check_name(name)
