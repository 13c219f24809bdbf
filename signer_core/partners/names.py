"""Names that a stranger chose and people will read: nothing in them may pass for something else."""

import re
from typing import Final, Literal

MAX_CHARACTERS: Final = 60
_LATIN: Final = "A-Za-z"
_UKRAINIAN: Final = "АБВГҐДЕЄЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЮЯабвгґдеєжзиіїйклмнопрстуфхцчшщьюя"
_CHARACTERS: Final = "Latin or Ukrainian letters, digits, spaces and .,:()&+№'-"
_ALLOWED: Final = re.compile(rf"[{_LATIN}{_UKRAINIAN}0-9 .,:()&+№'’-]+")
_MIXED: Final = re.compile(rf"[{_LATIN}][^ -]*[{_UKRAINIAN}]|[{_UKRAINIAN}][^ -]*[{_LATIN}]")


class NameRefusedError(ValueError):
    """A name is not allowed; `rule` says which rule it breaks, for pages in other languages."""

    def __init__(self, rule: Literal["length", "letters", "mixed", "spaces"], says: str) -> None:
        super().__init__(says)
        self.rule = rule


def check_name(name: str) -> None:
    """Check a partner's name.

    1. 1 to 60 characters.
    2. Latin or Ukrainian letters, digits, spaces and a few marks: no control, invisible or
       direction-turning character, no quotation marks (the sandbox puts its own around).
    3. No word of both alphabets: "Вank" with a Cyrillic letter looks like one it is not.
    4. One space at a time, none at the ends; a letter or digit somewhere.

    Raises:
        NameRefusedError: at the first that fails; the text says what to do.
    """
    if not 1 <= len(name) <= MAX_CHARACTERS:  # 1
        raise NameRefusedError("length", f"the name has 1 to {MAX_CHARACTERS} characters")
    if not _ALLOWED.fullmatch(name):  # 2
        raise NameRefusedError("letters", f"the name has {_CHARACTERS} only")
    if _MIXED.search(name):  # 3
        raise NameRefusedError("mixed", "a word of the name mixes Latin and Ukrainian letters")
    if "  " in name or name != name.strip() or not any(map(str.isalnum, name)):  # 4
        raise NameRefusedError("spaces", "the name has one space at a time, and none at its ends")
