"""What never changes is read once; what is not there yet is looked for again."""

from signer_core.storage.signer import immutable
from signer_core.storage.signer.immutable import Immutable


class Table:
    """Counts who asks."""

    def __init__(self, **rows: str) -> None:
        self.rows, self.asked = rows, []

    async def find(self, key: str) -> str | None:
        self.asked.append(key)
        return self.rows.get(key)


async def test_what_was_found_is_not_asked_again():
    table, known = Table(a="one"), Immutable[str, str]()
    assert [await known.get("a", table.find) for _ in range(3)] == ["one"] * 3
    assert table.asked == ["a"]


async def test_what_was_not_found_is_asked_again():
    table, known = Table(), Immutable[str, str]()
    assert await known.get("a", table.find) is None
    table.rows["a"] = "one"
    assert await known.get("a", table.find) == "one"


async def test_the_oldest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(immutable, "REMEMBERED", 2)
    table, known = Table(a="one", b="two", c="three"), Immutable[str, str]()
    for key in "abcbca":
        await known.get(key, table.find)
    assert table.asked == ["a", "b", "c", "a"]
