"""What an officer sees. Nothing of it is markup: ids and words come from others.

By hand: rich takes 0.1 s to load, and seconds for ten thousand rows.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def say(text: str) -> None:
    """Print one line as it is."""
    sys.stdout.write(_printable(text) + "\n")


def complain(text: str) -> None:
    """Print one line of trouble to standard error."""
    line = _printable(f"signer-keys: {text}")
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    sys.stderr.write(f"\x1b[31m{line}\x1b[0m\n" if coloured else line + "\n")


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; ASCII only, so that no control character reaches a terminal."""
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their headings."""
    clean = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *clean, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (list(columns), *clean)
    ]
    if sys.stdout.isatty():
        lines[0] = f"\x1b[1m{lines[0]}\x1b[0m"
    sys.stdout.write("\n".join(lines) + "\n")


def moment(unix_s: int) -> str:
    """Show a Unix time in this machine's zone, a dash for none."""
    if not unix_s:
        return "-"
    return datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
