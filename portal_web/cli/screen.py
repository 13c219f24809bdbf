"""What a person sees. Nothing of it is markup: names and reasons come from others.

Tables and the wheel are rich's, which is loaded for them only: it takes 0.1 s.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def say(text: str) -> None:
    """Print one line as it is."""
    sys.stdout.write(_printable(text) + "\n")


def complain(text: str) -> None:
    """Print one line of trouble to standard error."""
    line = _printable(f"signer: {text}")
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    sys.stderr.write(f"\x1b[31m{line}\x1b[0m\n" if coloured else line + "\n")


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; ASCII only, so that no control character reaches a terminal."""
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their headings."""
    from rich.console import Console  # noqa: PLC0415  see above
    from rich.table import Table  # noqa: PLC0415  see above
    from rich.text import Text  # noqa: PLC0415  see above

    table = Table(box=None, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=at == 0)  # the first is to be copied
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    Console(highlight=False).print(table)


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Turn a wheel while something takes time; on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415  see above
    from rich.text import Text  # noqa: PLC0415  see above

    with Console(stderr=True).status(Text(text)):
        yield


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
