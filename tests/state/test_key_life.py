"""Any order of sign, wrong PIN, refresh, suspend, kill, copy, replay: the invariants hold."""

import os

from hypothesis import HealthCheck, Phase, settings

from tests.state.key_life import KeyLife

TestKeyLife = KeyLife.TestCase
TestKeyLife.settings = settings(
    max_examples=int(os.environ.get("KEY_LIVES", "24")),
    stateful_step_count=25,
    deadline=None,
    database=None,  # the vault draws its own randomness: a life cannot be lived again
    phases=(Phase.generate,),  # and so not be made shorter either
    suppress_health_check=list(HealthCheck),
)
