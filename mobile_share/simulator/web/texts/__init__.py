"""The words of the pages, in both languages: `uk.toml` and `en.toml` beside this file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("uk", "en")  # the first is what a new visitor reads


def _read(language: str) -> Mapping[str, str]:
    return tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8"))


TEXTS: Final[Mapping[str, Mapping[str, str]]] = {one: _read(one) for one in LANGUAGES}


class Words:
    """One language's words."""

    def __init__(self, language: str) -> None:
        self._texts = TEXTS[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values in place; the values are put in as they are."""
        text = self._texts[key]
        return text.format_map(values) if values else text

    def has(self, key: str) -> bool:
        """Tell whether there is such a text."""
        return key in self._texts

    def wait(self, seconds: int) -> str:
        """Say how long a wait is, rounded up, so that it is enough."""
        if seconds <= 60:
            return self("wait_seconds", seconds=max(seconds, 0))
        hours, minutes = divmod(-(-seconds // 60), 60)
        if hours:
            return self("wait_hours", hours=hours, minutes=minutes)
        return self("wait_minutes", minutes=minutes)
