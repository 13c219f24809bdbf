"""docs/errors.md lists every error, as the code and the wire know it."""

import re
from pathlib import Path

from grpc_api.interceptors.errors import STATUS
from signer_core.errors import SignerError

PAGE = Path(__file__).parents[3] / "docs/errors.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)


def all_errors(kind=SignerError):
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == SignerError.__module__:
            yield from all_errors(child)


def test_the_page_has_exactly_the_errors_of_the_code():
    expected = sorted((kind.__name__, kind.code, STATUS[kind].name) for kind in all_errors())
    assert sorted(ROW.findall(PAGE.read_text(encoding="utf-8"))) == expected
