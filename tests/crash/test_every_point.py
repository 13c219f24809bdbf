"""The list of points is the coverage: each one is named by a test that dies there."""

import re
from pathlib import Path

from tests.crash.points import POINTS

TESTS = [p for p in Path(__file__).parent.glob("test_*.py") if p.name != Path(__file__).name]
NAMED = re.compile(r'"((?:vault|signer|phone)\.[a-z]+\.(?:before|commit|after))"')


def test_every_point_is_hit_by_a_test_and_no_other_is_named():
    named = {point for test in TESTS for point in NAMED.findall(test.read_text())}
    assert named == set(POINTS)
