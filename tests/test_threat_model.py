"""docs/threat-model.md names tests that exist: an answer without one is a promise."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(path: Path) -> set[str]:
    """Return what a test module defines at its top level."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


def test_every_named_test_exists():
    named = NAMED.findall(PAGE)
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in names_in(ROOT / path)
    ]
    assert missing == []


def test_every_answer_names_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    answers = [row for row in rows if not row.startswith("| attack |")]
    assert answers
    assert [row for row in answers if not NAMED.search(row)] == []
