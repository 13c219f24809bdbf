"""A full disk, and a token that is taken away: one clear line, then on as before."""

import resource
import shutil

import pytest

from mobile_share.errors import PhoneError
from signer_core.errors import SignerError
from tests.crash.world import JUDGEMENT_OVER_S

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

_TINY_BYTES = 4096  # no file of the vault may grow past it, as on a full disk


def vault_pid(world) -> int:
    (vault,) = (p for p in world.system.supervisor.find_processes() if p.name == "vault")
    return vault.pid


def fill_disk(world, limit: int = _TINY_BYTES) -> None:
    """Let the vault's process write no file any further; -1 gives the disk back."""
    _, hard = resource.prlimit(vault_pid(world), resource.RLIMIT_FSIZE)
    resource.prlimit(vault_pid(world), resource.RLIMIT_FSIZE, (limit, hard))


async def test_a_disk_that_is_full_before_the_count_costs_nothing(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    async with crash_world.prepared(phone, request_id) as session:
        fill_disk(crash_world)
        with pytest.raises((SignerError, PhoneError)):
            await session.sign("58312")
    fill_disk(crash_world, -1)
    key = crash_world.key(phone)
    assert (key["failed"], key["judging_sid"], key["signatures"]) == (0, None, 1)
    assert (await crash_world.sign(phone, request_id)).signatures == 1


async def test_a_disk_that_fills_during_judgement_releases_nothing(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path)
    request_id = await crash_world.request()
    crash_world.arm("full vault.release.before")
    outcome = await crash_world.try_to_sign(phone, request_id)
    assert isinstance(outcome, SignerError | PhoneError)
    assert (crash_world.control / "hit").read_text() == "full vault.release.before"
    (crash_world.control / "hit").unlink()
    fill_disk(crash_world, -1)
    key = crash_world.key(phone)
    assert (key["failed"], key["judging_sid"] is None, key["signatures"]) == (1, False, 1)
    assert crash_world.signatures(request_id) == 0
    crash_world.turn_clock(JUDGEMENT_OVER_S)
    assert await crash_world.still_signs(phone)
    assert crash_world.key(phone)["unresolved"] == 1


async def test_a_token_taken_away_while_running_is_one_line_and_comes_back(crash_world, tmp_path):
    phone = await crash_world.citizen(tmp_path / "phone")
    tokens = crash_world.system.home.of("softhsm") / "tokens"
    shutil.move(tokens, tmp_path / "away")
    log = crash_world.system.home.logs / "vault.jsonl"
    before = log.stat().st_size
    try:
        outcome = await crash_world.try_to_sign(phone, await crash_world.ask_once("no token"))
        assert isinstance(outcome, SignerError | PhoneError)
    except SignerError:
        pass  # the vault is gone before the request is known
    finally:
        shutil.rmtree(tokens, ignore_errors=True)
        shutil.move(tmp_path / "away", tokens)
    assert await crash_world.still_signs(phone)  # started again
    said = log.read_bytes()[before:].decode()
    assert "vault: the token" in said
    assert "Traceback" not in said
