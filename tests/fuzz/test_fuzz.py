"""Every public method, and the channel to the vault, under random and mutated messages.

`make fuzz` runs it for ten minutes, CI for two, the suite for a few seconds. FUZZ_SEED repeats a
run's choices; the answers of a living system still differ.
"""

import os
import secrets

import pytest

from tests.fuzz.harness import Run
from tests.fuzz.listeners import SERVED, find_methods

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

SECONDS = float(os.environ.get("FUZZ_SECONDS", "15"))
MAX_GROWTH_KIB = 100 * 1024


async def test_rubbish_gets_typed_errors_and_nothing_else(fuzz_world, tmp_path):
    seed = int(os.environ.get("FUZZ_SEED", secrets.randbits(32)))
    run = Run(fuzz_world, tmp_path, seed)
    findings = await run.fuzz(SECONDS)
    print(f"\nseed {seed}, {findings.statuses.total()} calls")  # noqa: T201  the result of a run
    for (where, answer), count in sorted(findings.statuses.items()):
        print(f"{count:7} {where}: {answer}")  # noqa: T201  the result of a run
    print(f"memory grew by {run.growth_kib} KiB")  # noqa: T201  the result of a run
    bad = [*findings.bad, *run.complaints()]
    print("\n\n".join(bad))  # noqa: T201  pytest would cut it short
    assert bad == []
    assert max(run.growth_kib.values()) < MAX_GROWTH_KIB
    assert await fuzz_world.still_signs(await fuzz_world.citizen(tmp_path / "after"))


def test_every_service_of_the_protos_is_fuzzed():
    assert {method.containing_service.full_name for method in find_methods()} == SERVED
