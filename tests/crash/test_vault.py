"""`kill -9` of the vault while it makes keys, requests and certificates."""

import pytest

from grpc_api.clients.status import RequestStatus
from signer_core.errors import UnavailableError
from tests.crash.world import CrashWorld

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


async def enrolled_in_spite_of(world: CrashWorld, folder, point: str):
    """Die at `point` while a person enrols; try again with the same code until it is done."""
    phone, code = world.new_phone(folder), await world.code()
    world.arm(point)
    await world.enrol_patiently(phone, code)
    assert await world.died_at(point)
    return phone


@pytest.mark.parametrize(
    "point",
    [
        "vault.device.commit",
        "vault.device.after",
        "vault.activate.before",
        "vault.activate.commit",
        "vault.activate.after",
        "vault.certificate.commit",
        "vault.certificate.after",
    ],
)
async def test_an_enrolment_is_taken_up_again(crash_world, tmp_path, point):
    phone = await enrolled_in_spite_of(crash_world, tmp_path, point)
    key_id = phone.shares.load().share.key_id
    events = crash_world.events(key_id)
    assert events.count(("key-enrolled", "active")) == 1
    assert events.count(("certificate", "issued")) == 1
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize("point", ["vault.register.commit", "vault.register.after"])
async def test_a_request_is_registered_once(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm(point)
    with pytest.raises(UnavailableError):
        await crash_world.ask_once(point)
    assert await crash_world.died_at(point)
    request_id = await crash_world.request(point)
    assert await crash_world.request(point) == request_id
    assert (await crash_world.sign(phone, request_id)).signatures == 1
    assert crash_world.signatures(request_id) == 1


@pytest.mark.parametrize("point", ["vault.burn.commit", "vault.burn.after"])
async def test_a_declined_request_never_signs(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    crash_world.arm(point)
    await crash_world.decline(phone, request_id)
    assert await crash_world.died_at(point)
    await crash_world.decline(phone, request_id)
    assert crash_world.vault_request(request_id)["state"] == "burned"
    assert (await crash_world.view(request_id)).status is RequestStatus.DECLINED
    assert await crash_world.still_signs(phone)
