"""PIN policy: the whole table of docs/spec/ecdsa2p.md §4."""

import pytest

from signer_core.keys.pin_policy import PinPolicy

NOW_S = 1_800_000_000
HOUR_S = 3600


@pytest.mark.parametrize(
    ("failed", "left", "pause_s"),
    [
        (0, 9, 0),
        (1, 8, 0),
        (2, 7, 0),
        (3, 6, 3 * HOUR_S),
        (4, 5, 0),
        (5, 4, 0),
        (6, 3, 24 * HOUR_S),
        (7, 2, 0),
        (8, 1, 0),
        (9, 0, 0),
        (10, 0, 0),
    ],
)
def test_tries_left_and_pause_after_each_wrong_try(failed, left, pause_s):
    policy = PinPolicy()
    assert policy.attempts_left(failed, failed) == left
    assert policy.hold_until_s(failed, NOW_S) == (NOW_S + pause_s if pause_s else 0)


@pytest.mark.parametrize(("lifetime", "left"), [(21, 9), (22, 8), (29, 1), (30, 0), (31, 0)])
def test_thirty_wrong_tries_in_a_life_block_whatever_came_between(lifetime, left):
    assert PinPolicy().attempts_left(0, lifetime) == left
