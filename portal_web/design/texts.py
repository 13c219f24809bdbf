"""What pages say, in Ukrainian and English: catalogues `portal_web/*/texts/{uk,en}.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request

LANGUAGES: Final = ("uk", "en")  # the first is for whoever wishes neither
COOKIE: Final = "lang"
_ROOT: Final = Path(__file__).parent.parent
# A preposition or conjunction of one or two letters does not stand at the end of a line.
_SHORT_WORD: Final = re.compile(r"(?<![\w’-])([а-яіїєґ]{1,2}) (?=\S)", re.IGNORECASE)
_HOLD: Final = "\\1\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of one language by their names, `feature.name`."""

    language: str
    by_name: Mapping[str, str] = field(repr=False)

    def __call__(self, name: str, **values: object) -> str:
        """Return a text with its `{placeholders}` filled; one that is not there is a defect."""
        text = self.by_name[name]
        return text.format(**values) if values else text


def load_texts(root: Path = _ROOT) -> Mapping[str, Texts]:
    """Read every catalogue; the texts of a feature begin with its folder's name."""
    return {language: Texts(language, _read(root, language)) for language in LANGUAGES}


def _read(root: Path, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(root.glob(f"*/texts/{language}.toml")):
        found |= _flat(file.parent.parent.name, tomllib.loads(file.read_text("utf-8")))
    return {name: _SHORT_WORD.sub(_HOLD, text) for name, text in found.items()}


def _flat(before: str, table: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        where = f"{before}.{name}"
        flat |= _flat(where, value) if isinstance(value, dict) else {where: value}
    return flat


def language_of(request: Request) -> str:
    """Return the language of an answer: what was asked for, was chosen before, or is preferred."""
    for wish in (request.query_params.get(COOKIE), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return wish
    return _preferred(request.headers.get("accept-language", ""))


def _preferred(header: str) -> str:
    """Return the best of an Accept-Language (RFC 9110 §12.5.4)."""
    wishes = [_wish(part) for part in header[:500].split(",")]
    known = [(weight, name) for weight, name in wishes if name in LANGUAGES and weight > 0]
    return max(known, key=lambda one: one[0])[1] if known else LANGUAGES[0]


def _wish(part: str) -> tuple[float, str]:
    tag, _, weight = part.partition(";q=")
    try:
        return (float(weight or 1), tag.strip().lower()[:2])
    except ValueError:
        return (0, "")
