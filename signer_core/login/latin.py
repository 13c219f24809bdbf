"""Ukrainian names in Latin letters, as passports have them.

Source: resolution of the Cabinet of Ministers of Ukraine No. 55 of 27 January 2010.
"""

import re
from typing import Final

# Cyrillic is what it is about
_UKRAINIAN: Final = "абвгґдеєжзиіїйклмнопрстуфхцчшщюя"
_LATIN: Final = "a b v h g d e ie zh z y i i i k l m n o p r s t u f kh ts ch sh shch iu ia"
_LETTERS: Final = dict(zip(_UKRAINIAN, _LATIN.split(" "), strict=True))
_FIRST: Final = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}  # at the beginning of a word
_SILENT: Final = "ь'’ʼ"
_WORD: Final = re.compile(r"[\w'’ʼ]+")


def in_latin(name: str) -> str:
    """Return a name in Latin letters; letters that are not Ukrainian stay as they are."""
    return _WORD.sub(lambda found: _word(found[0]), name)


def _word(word: str) -> str:
    lower = word.lower().replace("зг", "\0")  # "zgh": or else it would read as "ж"
    parts = [_letter(one, first=not at) for at, one in enumerate(lower)]
    text = "".join(parts)
    if word.isupper() and len(word) > 1:
        return text.upper()
    return text[:1].upper() + text[1:] if word[:1].isupper() else text


def _letter(letter: str, *, first: bool) -> str:
    if letter == "\0":
        return "zgh"
    if letter in _SILENT:
        return ""
    return (_FIRST.get(letter) if first else None) or _LETTERS.get(letter, letter)
