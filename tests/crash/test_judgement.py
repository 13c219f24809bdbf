"""`kill -9` of the vault at each moment of judgement (docs/spec/ecdsa2p.md §3.1)."""

import pytest

from grpc_api.clients.status import RequestStatus
from mobile_share.signing import Outcome
from signer_core.errors import BusyError, PinRejectedError, RetireShareError
from signer_core.protocol.ecdsa2p.device.digest import DeviceDigest
from signer_core.protocol.transcript import Q
from tests.crash.world import JUDGEMENT_OVER_S, PIN, WRONG_PIN, CrashWorld

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

NOT_COUNTED = ["vault.live.commit", "vault.live.after", "vault.count.before", "vault.count.commit"]
UNRESOLVED = ["vault.count.after", "vault.pin.after", "vault.release.before"]
SIGNED = ["vault.release.after", "vault.ack.before", "vault.ack.commit", "vault.ack.after"]


async def die_while_signing(world: CrashWorld, phone, request_id, point, pin=PIN):
    world.arm(point)
    ended = await world.try_to_sign(phone, request_id, pin)
    assert await world.died_at(point)
    return ended


async def settled(world: CrashWorld, phone, request_id) -> bool:
    """The dead judgement is met after its deadline: counted, its request burned."""
    before = world.key(phone)
    world.turn_clock(JUDGEMENT_OVER_S)
    assert await world.result(phone, request_id) is RequestStatus.BURNED
    after = world.key(phone)
    assert after["unresolved"] == before["unresolved"] + 1
    assert after["judging_sid"] is None
    assert (after["failed"], after["lifetime_failed"]) == (
        before["failed"],
        before["lifetime_failed"],
    )
    assert world.signatures(request_id) == 0
    return True


@pytest.mark.parametrize("point", NOT_COUNTED)
async def test_before_the_count_is_durable_nothing_happened(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, point)
    key = crash_world.key(phone)
    assert (key["failed"], key["lifetime_failed"], key["judging_sid"]) == (0, 0, None)
    assert crash_world.vault_request(request_id)["state"] == "open"
    outcome = await crash_world.sign(phone, request_id)
    assert (outcome.signatures, crash_world.signatures(request_id)) == (1, 1)
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize("point", [*UNRESOLVED, "vault.release.commit"])
async def test_between_count_and_verdict_the_try_stays_counted(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, point)
    key = crash_world.key(phone)
    assert (key["failed"], key["lifetime_failed"]) == (1, 1)
    assert key["judging_sid"] is not None
    assert crash_world.vault_request(request_id)["state"] == "reserved"
    with pytest.raises(BusyError):
        await crash_world.sign(phone, await crash_world.request())
    assert await settled(crash_world, phone, request_id)
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize("point", SIGNED)
async def test_after_the_verdict_the_signature_is_there_once(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, point)
    assert await crash_world.result(phone, request_id) is RequestStatus.CONSUMED
    assert crash_world.signatures(request_id) == 1
    assert (await crash_world.signed_pdf(request_id)).startswith(crash_world.pdf.read_bytes())
    key = crash_world.key(phone)
    assert (key["failed"], key["lifetime_failed"], key["signatures"]) == (0, 0, 2)
    assert not isinstance(await crash_world.try_to_sign(phone, request_id), Outcome)
    assert crash_world.signatures(request_id) == 1
    assert await crash_world.still_signs(phone)


@pytest.mark.parametrize("point", ["vault.reject.before", "vault.reject.commit"])
async def test_a_wrong_pin_is_never_undercounted(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, point, WRONG_PIN)
    assert crash_world.key(phone)["failed"] == 1
    assert await settled(crash_world, phone, request_id)
    again = await crash_world.request()
    with pytest.raises(PinRejectedError) as rejected:
        await crash_world.sign(phone, again, WRONG_PIN)
    assert rejected.value.attempts_left == 7
    assert await crash_world.still_signs(phone)


async def test_a_rejected_pin_stays_rejected(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, "vault.reject.after", WRONG_PIN)
    assert crash_world.key(phone)["failed"] == 1
    assert crash_world.vault_request(request_id)["state"] == "open"
    assert (await crash_world.sign(phone, request_id)).wrong_tries == 1


@pytest.fixture
def cheating(monkeypatch):
    """Return what makes a phone's arithmetic wrong under the right PIN: an attack on the vault."""
    honest = DeviceDigest.step5_sign

    def cheat(self, digest, x2):
        sigma = int.from_bytes(honest(self, digest, x2), "big")
        return ((sigma + 1) % Q).to_bytes(32, "big")

    return lambda: monkeypatch.setattr(DeviceDigest, "step5_sign", cheat)


@pytest.mark.parametrize("point", ["vault.retire.before", "vault.retire.commit"])
async def test_three_deaths_while_an_attack_is_judged_end_the_key(
    crash_world, tmp_path, cheating, point
):
    phone = await crash_world.citizen(tmp_path)
    cheating()
    for deaths in (1, 2, 3):
        request_id = await crash_world.request()
        await die_while_signing(crash_world, phone, request_id, point)
        crash_world.turn_clock(deaths * JUDGEMENT_OVER_S)
        assert await crash_world.result(phone, request_id) is RequestStatus.BURNED
        assert crash_world.key(phone)["unresolved"] == deaths
        assert crash_world.signatures(request_id) == 0
    assert crash_world.key(phone)["status"] == "retired"


async def test_a_retired_key_stays_retired(crash_world, tmp_path, cheating):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    cheating()
    await die_while_signing(crash_world, phone, request_id, "vault.retire.after")
    key = crash_world.key(phone)
    assert (key["status"], crash_world.signatures(request_id)) == ("retired", 0)
    assert crash_world.vault_request(request_id)["state"] == "burned"
    assert ("certificate-revocation", "queued") in crash_world.events(key["key_id"])
    with pytest.raises(RetireShareError):
        await crash_world.request()


@pytest.mark.parametrize("point", ["vault.settle.before", "vault.settle.after"])
async def test_a_death_while_settling_counts_once(crash_world, tmp_path, point):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    await die_while_signing(crash_world, phone, request_id, "vault.count.after")
    crash_world.turn_clock(JUDGEMENT_OVER_S)
    crash_world.arm(point)
    assert await crash_world.result(phone, request_id) is RequestStatus.BURNED
    assert await crash_world.died_at(point)
    assert await crash_world.result(phone, request_id) is RequestStatus.BURNED
    assert crash_world.key(phone)["unresolved"] == 1
    assert await crash_world.still_signs(phone)
