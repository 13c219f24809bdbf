"""What an officer wants signed about a partner: a file, and options over it."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hsm_module.officers.errors import FileError

_NO_LOGO: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes
_ABSENT: Final[Mapping[str, object]] = {
    "logo_sha256": _NO_LOGO,
    "callback_address": "",
    "keys": [],
}


def describe(path: Path | None, options: Mapping[str, object], keys: Sequence[Path]) -> str:
    """Return the claims as JSON, for the vault to check: a file's (TOML or JSON), then options.

    Raises:
        FileError: a file cannot be read, or is neither.
    """
    claims = dict(_ABSENT) | ({} if path is None else _read(path))
    claims |= {name: value for name, value in options.items() if value}
    if keys:
        claims["keys"] = [_read(key) for key in keys]
    return json.dumps(claims, ensure_ascii=False)


def _read(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise FileError(f"{path} cannot be read as text") from None
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise FileError(f"{path} is neither JSON nor TOML: {error}") from None
    return dict(content)
