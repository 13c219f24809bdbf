import json
import secrets
from pathlib import Path

import pytest

from mobile_share.pin import Argon2Parameters, PinMask, derive_factor, mask_share, unmask_share
from signer_core.protocol.transcript import Q

CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
VECTORS = Path(__file__).parents[2] / "vectors" / "ecdsa2p.json"


def test_default_cost_is_the_second_choice_of_rfc_9106():
    assert Argon2Parameters() == Argon2Parameters(memory_kib=64 * 1024, passes=3, lanes=4)


@pytest.fixture
def vectors():
    return json.loads(VECTORS.read_text())


async def test_mask_of_the_vectors_is_reproduced(vectors):
    steps = dict(vectors["enrol"]["intermediates"])
    mask = PinMask(bytes.fromhex(steps["mask"]["salt"]), CHEAP)
    factor = await derive_factor(vectors["pin"], bytes.fromhex(vectors["device_secret"]), mask)
    assert f"{factor:064x}" == steps["mask"]["F"]
    x2 = unmask_share(bytes.fromhex(steps["mask"]["w"]), factor)
    assert mask_share(x2, factor).hex() == steps["mask"]["w"]
    assert steps["mask"].get("x2", f"{x2:064x}") == f"{x2:064x}"


async def test_factor_depends_on_pin_salt_and_device_secret():
    one = PinMask(bytes(32), CHEAP)
    other = PinMask(b"\1" * 32, CHEAP)
    factors = {
        await derive_factor("10000", bytes(32), one),
        await derive_factor("10001", bytes(32), one),
        await derive_factor("10000", b"\1" * 32, one),
        await derive_factor("10000", bytes(32), other),
    }
    assert len(factors) == 4


def test_masking_is_undone_by_the_same_factor_only():
    x2, factor = secrets.randbelow(Q), secrets.randbelow(Q)
    masked = mask_share(x2, factor)
    assert unmask_share(masked, factor) == x2
    assert unmask_share(masked, factor + 1) != x2


async def test_any_pin_gives_a_valid_looking_share():
    mask = PinMask(secrets.token_bytes(32), CHEAP)
    secret, masked = secrets.token_bytes(32), mask_share(secrets.randbelow(Q), 7)
    shares = [
        unmask_share(masked, await derive_factor(f"{pin:05}", secret, mask))
        for pin in range(0, 100_000, 199)
    ]
    assert all(0 < share < Q for share in shares)
    assert len(set(shares)) == len(shares)


def test_mask_prints_no_salt():
    assert "salt" not in repr(PinMask(bytes(32)))
