"""`kill -9` of the signer between any two of its commits: it follows the vault afterwards."""

import pytest

from grpc_api.clients.status import RequestStatus
from signer_core.errors import SignerError
from tests.crash.test_vault import enrolled_in_spite_of

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


@pytest.mark.parametrize(
    "point",
    [
        "signer.store.commit",
        "signer.store.after",
        "signer.open.before",
        "signer.open.commit",
        "signer.open.after",
    ],
)
async def test_a_wish_becomes_one_request(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    crash_world.arm(point)
    with pytest.raises(SignerError):
        await crash_world.ask_once(point)
    assert await crash_world.died_at(point)
    request_id = await crash_world.request(point)
    assert (await crash_world.sign(phone, request_id)).signatures == 1
    assert crash_world.requests_of(phone) == [request_id]


@pytest.mark.parametrize(
    "point",
    [
        "signer.collect.before",
        "signer.consume.before",
        "signer.consume.commit",
        "signer.consume.after",
    ],
)
async def test_a_signature_of_the_vault_is_never_lost(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    crash_world.arm(point)
    await crash_world.try_to_sign(phone, request_id)
    assert await crash_world.died_at(point)
    assert await crash_world.final_status(request_id) is RequestStatus.CONSUMED
    assert (await crash_world.signed_pdf(request_id)).startswith(crash_world.pdf.read_bytes())
    assert crash_world.signatures(request_id) == 1
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize(
    "point",
    [
        "signer.intend.commit",
        "signer.intend.after",
        "signer.burned.before",
        "signer.burned.commit",
        "signer.burned.after",
    ],
)
async def test_a_refusal_is_carried_out(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    crash_world.arm(point)
    await crash_world.decline(phone, request_id)
    assert await crash_world.died_at(point)
    await crash_world.decline(phone, request_id)
    assert crash_world.vault_request(request_id)["state"] == "burned"
    assert (await crash_world.view(request_id)).status is RequestStatus.DECLINED
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize(
    "point",
    [
        "signer.device.before",
        "signer.device.commit",
        "signer.device.after",
        "signer.certificate.before",
        "signer.certificate.commit",
        "signer.certificate.after",
    ],
)
async def test_an_enrolment_is_taken_up_again(crash_world, tmp_path, point):
    phone = await enrolled_in_spite_of(crash_world, tmp_path, point)
    assert await crash_world.still_signs(phone)
