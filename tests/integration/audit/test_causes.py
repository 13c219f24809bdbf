"""Every event of the catalogue is caused by a test, through what callers see."""

import ast
from pathlib import Path

from signer_core.audit.catalogue import CATALOGUE

TESTS = Path(__file__).parents[2]


def caused() -> set[str]:
    return {
        word.value
        for path in TESTS.rglob("test_*.py")
        if "causes" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.causes"
        for word in ast.walk(node)
        if isinstance(word, ast.Constant)
    }


def test_every_event_is_caused_by_a_test_and_no_other_is_named():
    assert caused() == set(CATALOGUE)
