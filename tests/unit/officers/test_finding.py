"""From what is in hand to keys: exactly one, or all of a person."""

from dataclasses import dataclass

import pytest

from hsm_module.officers.finding import find_key, find_person
from hsm_module.officers.keys import every_key
from hsm_module.officers.mass import parse_moment
from signer_core.admin.vault import MAX_PAGE, KeySummary
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.ports import KeyStatus


@dataclass
class FakeVault:
    """Keys in the order of their ids."""

    ids: list[str]

    async def list_keys(self, after, limit, kek_id=""):
        found = sorted(KeyId(bytes.fromhex(one)) for one in self.ids)
        later = [one for one in found if one > after]
        return [KeySummary(one, KeyStatus.ACTIVE) for one in later[:limit]]


@dataclass
class FakeSigner:
    """Knows one thing of one kind."""

    by: str
    asked: list[str]

    async def find_person(self, by, value):
        self.asked.append(by)
        return [value] if by == self.by else []


A, B, ZERO = "aa" * 16, "aa" * 15 + "ab", "00" * 16


@pytest.mark.parametrize(("text", "found"), [(A, A), ("AA" * 16, A), ("000000", ZERO)])
async def test_the_only_key_that_begins_so(text, found):
    assert (await find_key(FakeVault([A, B, ZERO]), text)).hex() == found


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("aaaaaa", InvalidRequestError),  # two begin so
        ("bbbbbb", NotFoundError),
        ("aaaaa", InvalidRequestError),  # too short
        ("zzzzzz", InvalidRequestError),
    ],
)
async def test_no_key_or_several_is_an_error(text, error):
    with pytest.raises(error):
        await find_key(FakeVault([A, B]), text)


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("3224410107", "rnokpp"),
        ("19880412-10007", "unzr"),
        ("ab" * 16, "request"),
        ("00" * 4 + "ab" * 16, "serial"),
        ("ab" * 32, "device"),
    ],
)
async def test_the_form_says_what_it_is(text, by):
    signer = FakeSigner(by, [])
    assert await find_person(signer, text) == [text]


@pytest.mark.parametrize("text", ["Зразкова", "olena", "", "322441010", "' OR 1=1 --"])
async def test_nobody_is_found_by_a_name(text):
    with pytest.raises(InvalidRequestError, match="never a name"):
        await find_person(FakeSigner("rnokpp", []), text)


async def test_every_page_is_fetched_once():
    vault = FakeVault([f"{n:032x}" for n in range(1, 2 * MAX_PAGE + 1)])
    seen = [key.key_id async for key in every_key(vault)]
    assert len(seen) == len(set(seen)) == 2 * MAX_PAGE


def test_moments_are_utc():
    assert parse_moment("") == 0
    assert parse_moment("1970-01-02") == 86_400
    assert parse_moment("1970-01-01T01:00") == 3_600
