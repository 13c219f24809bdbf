"""The login statement: every byte of it, and nothing that is almost one."""

import hashlib
from datetime import UTC, datetime

import pytest

from signer_core.errors import InvalidRequestError
from signer_core.login.statement import LoginStatement, parse_statement

AT = datetime(2026, 11, 29, 15, 0, 1, 999, UTC)
ISSUER, BACK = "https://sign.example", "https://bank.example/return?a=1"
TEXT = """diia-signer login v1
issuer: https://sign.example
client: bank
redirect: https://bank.example/return?a=1
nonce: n-1
time: 2026-11-29T15:00:01Z
data: profile person_code
Передати партнеру: ім'я та прізвище; РНОКПП.
"""


def statement(nonce="n-1", scope="openid person_code unknown profile"):
    return LoginStatement.make(ISSUER, "bank", BACK, nonce, AT, scope)


def test_the_text_names_partner_way_back_and_every_kind_of_data():
    assert statement().text == TEXT
    assert statement().challenge == hashlib.sha256(TEXT.encode()).digest()
    assert statement().scope == "openid profile person_code"


def test_without_nonce_and_data_it_says_so():
    found = statement("", "openid")
    assert "\nnonce: -\n" in found.text
    assert found.text.endswith("data: -\nОсобисті дані не передаються.\n")
    assert parse_statement(found.text) == found


def test_what_was_written_is_read():
    assert parse_statement(TEXT) == statement()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v1", "v2"),
        ("issuer: ", "issuer:"),
        ("15:00:01Z", "15:00:01+00:00"),
        ("15:00:01Z", "25:00:01Z"),
        ("profile person_code", "person_code profile"),
        ("profile person_code", "profile"),
        ("profile person_code", "profile email"),
        ("РНОКПП.\n", "РНОКПП."),
        ("РНОКПП.\n", "РНОКПП.\nmore\n"),
        ("; РНОКПП", ""),
        ("nonce: n-1\n", ""),
        ("\n", "\r\n"),
        (TEXT, ""),
    ],
)
def test_what_is_almost_one_is_none(old, new):
    with pytest.raises(InvalidRequestError):
        parse_statement(TEXT.replace(old, new))


@pytest.mark.parametrize("nonce", ["a\nclient: other", "a\u202eb", "a\x00"])
def test_nothing_slips_in_another_line(nonce):
    with pytest.raises(InvalidRequestError):
        _ = statement(nonce).text
