"""What a person sees. Nothing of it is markup: names and reasons come from others."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def say(text: str) -> None:
    """Print one line as it is."""
    _out().print(Text(_printable(text)), soft_wrap=True)


def complain(text: str) -> None:
    """Print one line of trouble to standard error."""
    line = Text(_printable(f"signer: {text}"), style="red")
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; ASCII only, so that no control character reaches a terminal."""
    Console(soft_wrap=True, markup=False, highlight=False).out(json.dumps(content, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their headings."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    _out().print(table)


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Turn a wheel while something takes time; on a terminal only."""
    if quiet:
        yield
        return
    with Console(stderr=True).status(Text(text)):
        yield


def _out() -> Console:
    return Console(highlight=False)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
