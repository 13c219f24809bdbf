"""`kill -9` while an owner changes the PIN or suspends the key (docs/spec/ecdsa2p.md §8)."""

import asyncio

import pytest

from mobile_share import transfer
from mobile_share.deployment import Deployment
from mobile_share.emergency import give_suspend_code
from mobile_share.errors import PhoneError
from mobile_share.wire import emergency_client, signer_client
from signer_core.errors import KeySuspendedError, SignerError, UnavailableError
from tests.crash.test_phone import died, run
from tests.crash.world import JUDGEMENT_OVER_S, PHOTO, PIN, CrashWorld

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

NEW_PIN = "27946"
STILL_OLD = [
    "vault.transfer.commit",
    "vault.transfer.after",
    "vault.prove.before",
    "vault.prove.after",
    "vault.renew.before",
    "vault.renew.commit",
]


async def change_pin(world: CrashWorld, phone) -> None:
    """What `signer-phone pin-change` does; the first use of the new shares included."""
    async with signer_client(phone) as signer:
        async with transfer.prepare(phone, signer, "pin-change", PHOTO) as prepared:
            await prepared.make(PIN, NEW_PIN)
        await transfer.use_first(phone, signer, PHOTO, NEW_PIN)


async def signs_with(world: CrashWorld, phone, pin: str) -> bool:
    request_id = await world.request()
    outcome = await world.sign(phone, request_id, pin)
    assert (outcome.signatures, world.signatures(request_id)) == (1, 1)
    key = world.key(phone)
    assert (key["status"], key["failed"], key["judging_sid"]) == ("active", 0, None)
    return True


@pytest.mark.parametrize("point", STILL_OLD)
async def test_before_the_vault_has_the_new_shares_the_pin_is_the_old_one(
    crash_world, tmp_path, point
):
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm(point)
    with pytest.raises((SignerError, PhoneError)):
        await change_pin(crash_world, phone)
    assert await crash_world.died_at(point)
    crash_world.turn_clock(JUDGEMENT_OVER_S)
    assert await signs_with(crash_world, phone, PIN)
    await change_pin(crash_world, phone)
    assert await signs_with(crash_world, phone, NEW_PIN)


async def test_once_the_vault_has_the_new_shares_the_pin_is_the_new_one(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm("vault.renew.after")
    with pytest.raises((SignerError, PhoneError)):
        await change_pin(crash_world, phone)
    assert await crash_world.died_at("vault.renew.after")
    assert crash_world.key(phone)["next_epoch"] is not None
    assert await signs_with(crash_world, phone, NEW_PIN)
    assert crash_world.key(phone)["next_epoch"] is None


@pytest.mark.parametrize("point", ["phone.next.before", "phone.next.after"])
async def test_a_phone_that_dies_around_its_new_share_keeps_the_old_pin(
    crash_world, tmp_path, point
):
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm(point)
    typed = f"{PIN}\n{NEW_PIN}"
    assert died(crash_world, tmp_path, point, "pin-change", "--pin-stdin", typed=typed)
    crash_world.turn_clock(JUDGEMENT_OVER_S)
    request_id = await crash_world.request()
    assert run(crash_world, tmp_path, "sign", request_id.hex(), "--pin-stdin") == 0
    assert await signs_with(crash_world, phone, PIN)


async def suspend_patiently(client, code: str) -> None:
    """Repeat it while the signer looks for its vault, as a person does."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await client.suspend(code)
            except UnavailableError:
                await asyncio.sleep(0.5)


@pytest.mark.parametrize("point", ["vault.suspend.commit", "vault.suspend.after"])
async def test_a_suspension_by_code_is_carried_out_when_repeated(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    shown: list[str] = []
    async with signer_client(phone) as signer:
        await give_suspend_code(signer, shown.append)
    crash_world.arm(point)
    deployment = Deployment.read(crash_world.system.home.deployment)
    async with emergency_client(deployment) as client:
        with pytest.raises(UnavailableError):
            await client.suspend(shown[0])
        assert await crash_world.died_at(point)
        suspended = crash_world.key(phone)["status"] == "suspended"
        assert suspended == (point == "vault.suspend.after")
        await suspend_patiently(client, shown[0])
    with pytest.raises(KeySuspendedError):
        await crash_world.sign(phone, await crash_world.request())
    assert crash_world.key(phone)["status"] == "suspended"
