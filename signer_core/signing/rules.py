"""What a caller may ask for. Names and purpose are shown to a person before the PIN."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from signer_core.errors import InvalidRequestError

MAX_FILES: Final = 64  # one PIN, docs/spec/ecdsa2p.md §1
MAX_FILE_BYTES: Final = 20 * 1024 * 1024
MAX_REQUEST_BYTES: Final = 100 * 1024 * 1024  # all files: what one process holds in memory at once
MAX_NAME_CHARACTERS: Final = 200
MAX_PURPOSE_CHARACTERS: Final = 300
MAX_REASON_CHARACTERS: Final = 200
SHORTEST_TTL_S: Final = 30
LONGEST_TTL_S: Final = 86_400
USUAL_TTL_S: Final = 900

# Control, format (bidirectional marks, zero width), surrogate, private and unassigned characters,
# line and paragraph separators: Unicode 15 §4.5. Each can make a text look like another one.
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def check_names(names: Sequence[str]) -> None:
    """Check the names of a request's files: 1 to 64, each fit to be shown and to be written.

    Raises:
        InvalidRequestError: a count, a name or a pair of names is not allowed.
    """
    if not 1 <= len(names) <= MAX_FILES:
        raise InvalidRequestError("a request has 1 to 64 files")
    for name in names:
        _check_name(name)
    # Two spellings of one name would overwrite each other where they are saved.
    if len({unicodedata.normalize("NFKC", name).casefold() for name in names}) != len(names):
        raise InvalidRequestError("two files have the same name: rename one")


def _check_name(name: str) -> None:
    check_text("the name of a file", name, 1, MAX_NAME_CHARACTERS)
    if "/" in name or "\\" in name or name.startswith("."):
        raise InvalidRequestError("the name of a file is not a path and does not begin with a dot")


def check_text(what: str, text: str, shortest: int, longest: int) -> None:
    """Check the length, in characters, of a text, and that it looks like what it is.

    Raises:
        InvalidRequestError: too short, too long, or with control or invisible characters.
    """
    if not shortest <= len(text) <= longest:
        raise InvalidRequestError(f"{what} has {shortest} to {longest} characters")
    if text != text.strip() or _UNSAFE_CATEGORIES & set(map(unicodedata.category, text)):
        raise InvalidRequestError(f"{what} has control, invisible or surrounding characters")


def check_sizes(sizes_bytes: Sequence[int]) -> None:
    """Check the sizes of a request's files.

    Raises:
        InvalidRequestError: one is empty or over 20 MiB, or all are over 100 MiB.
    """
    if min(sizes_bytes) < 1:
        raise InvalidRequestError("a file has 1 byte to 20 MiB")
    check_sizes_for_reading(sizes_bytes)


def check_sizes_for_reading(sizes_bytes: Sequence[int]) -> None:
    """Check the sizes of documents of which some may be absent (0).

    Raises:
        InvalidRequestError: one is over 20 MiB, or all are over 100 MiB.
    """
    if max(sizes_bytes) > MAX_FILE_BYTES:
        raise InvalidRequestError("a file has 1 byte to 20 MiB")
    if sum(sizes_bytes) > MAX_REQUEST_BYTES:
        raise InvalidRequestError("the files of a request have at most 100 MiB: make two requests")


def check_ttl(ttl_s: int) -> int:
    """Return the seconds a request stays open; 0 means 900.

    Raises:
        InvalidRequestError: below 30 s or above a day.
    """
    if ttl_s == 0:
        return USUAL_TTL_S
    if not SHORTEST_TTL_S <= ttl_s <= LONGEST_TTL_S:
        raise InvalidRequestError("a request stays open for 30 to 86400 seconds")
    return ttl_s
