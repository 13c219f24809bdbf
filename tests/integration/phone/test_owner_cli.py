"""PIN change, emergency and the second try at a terminal, as a person types them."""

import re

import pytest

from mobile_share.cli import pin_entry
from mobile_share.ports import OtherKey
from mobile_share.share_file import ShareStatus
from signer_core.errors import DeniedError, UnavailableError
from signer_core.identifiers import KeyId
from signer_core.protocol.suspend_code import suspend_code_hash
from tests.fakes.citizen import NOW

PIN, NEW = "48213", "90817"
OLD_KEY = KeyId(b"o" * 16)


@pytest.fixture
def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate()).hex()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(pin_entry, "at_terminal", lambda: True)


def only_key(world):
    (key,) = world.vault.keys.values()
    return key


def test_wrong_pin_at_a_terminal_is_asked_again(run, request_id, terminal):
    result = run("sign", request_id, stdin=f"13570\n{PIN}\n")
    assert result.exit_code == 0, result.output
    assert "8 attempts left" in result.output
    assert "1 wrong PINs were tried" in result.output


def test_nobody_is_asked_again_before_a_wait(run, request_id, world, terminal):
    world.vault.hold_until_s = int(NOW.timestamp()) + 3 * 3600
    result = run("sign", request_id, stdin=f"13570\n{PIN}\n")
    assert result.exit_code == 10
    assert "wait 3 h 0 min" in result.output
    assert only_key(world).failed == 1


def test_pin_from_standard_input_is_tried_once(run, request_id, world, terminal):
    assert run("sign", request_id, "--pin-stdin", stdin=f"13570\n{PIN}\n").exit_code == 10
    assert only_key(world).failed == 1


def test_pin_change_then_signing_with_the_new_pin(run, request_id):
    result = run("pin-change", "--pin-stdin", stdin=f"{PIN}\n{NEW}\n")
    assert result.exit_code == 0, result.output
    assert "Your PIN is changed." in result.output
    assert PIN not in result.output
    assert NEW not in result.output
    assert run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n").exit_code == 10
    assert run("sign", request_id, "--pin-stdin", stdin=f"{NEW}\n").exit_code == 0


def test_pin_change_at_a_prompt_goes_on_after_a_wrong_old_pin(run, world, enrolled, terminal):
    result = run("pin-change", stdin=f"13570\n{NEW}\n{NEW}\n{PIN}\n")
    assert result.exit_code == 0, result.output
    assert "1 wrong PINs were tried" in result.output
    assert enrolled.shares.load().share.generation == 1


@pytest.mark.parametrize(
    ("new", "said"), [("12345", "count up"), (PIN, "is the old one"), ("33101", "birth date")]
)
@pytest.mark.usefixtures("request_id")
def test_pin_change_refuses_a_weak_or_the_old_pin(run, world, new, said):
    result = run("pin-change", "--pin-stdin", stdin=f"{PIN}\n{new}\n")
    assert (result.exit_code, said in result.output) == (5, True), result.output
    assert len(only_key(world).generations) == 1


def test_refresh_asks_for_one_pin_and_keeps_it(run, request_id, enrolled):
    result = run("refresh", "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert enrolled.shares.load().share.generation == 1
    assert run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n").exit_code == 0


def test_change_whose_first_use_is_lost_is_said_and_shown_in_status(run, request_id, world):
    def lose(_):
        if len(only_key(world).generations) == 2:
            raise UnavailableError("gone")

    world.vault.hooks["step4"] = lose
    result = run("pin-change", "--pin-stdin", stdin=f"{PIN}\n{NEW}\n")
    assert result.exit_code == 0, result.output
    assert "your next signature does that" in result.output
    assert "unfinished" in run("status").output
    world.vault.hooks.clear()
    assert run("sign", request_id, "--pin-stdin", stdin=f"{NEW}\n").exit_code == 0
    assert "unfinished" not in run("status").output


def test_change_that_never_reached_the_vault_says_that_the_pin_is_the_old_one(
    run, request_id, world
):
    def lose(_):
        raise UnavailableError("gone")

    world.vault.hooks["row9"] = lose
    result = run("pin-change", "--pin-stdin", stdin=f"{PIN}\n{NEW}\n")
    assert result.exit_code == 28
    assert "your PIN is the old one" in result.output
    assert run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n").exit_code == 0


def test_enrolment_shows_a_suspend_code_that_suspends(run, enrol_phone, world, phone):
    output = enrol_phone().output
    (code,) = re.findall(r"Your suspend code: (\S+)", output)
    (key_id,) = world.vault.keys
    assert world.vault.codes == {key_id: suspend_code_hash(code)}
    result = run("suspend", "--code", code, "--deployment", phone.folder / "deployment.json")
    assert result.exit_code == 0, result.output
    assert only_key(world).status == "suspended"


def test_enrolment_without_a_code_is_one_and_says_how_to_get_it(run, enrol_phone, world, phone):
    async def away(_):
        raise UnavailableError("away")

    honest, world.signer.set_suspend_code = world.signer.set_suspend_code, away
    result = enrol_phone()
    assert result.exit_code == 0, result.output
    assert "NOT in force" in result.output
    assert phone.is_enrolled
    world.signer.set_suspend_code = honest
    assert run("suspend-code").exit_code == 0
    assert run("suspend-code").exit_code == 23


def test_suspend_by_code_needs_no_phone(run, tmp_path, enrolled, world):
    (key_id,) = world.vault.keys
    world.vault.codes[key_id] = suspend_code_hash("ABCD-EFGH-JKMN-PQRS")
    pinned = ("--deployment", tmp_path / "deployment.json")
    assert run("suspend", "--code", "ABCD-EFGH", *pinned, home="nobody").exit_code == 20
    assert only_key(world).status == "active"
    typed = "abcd efgh jkmn pqrs"
    assert run("suspend", "--code", typed, *pinned, home="nobody").exit_code == 0
    assert only_key(world).status == "suspended"


@pytest.mark.parametrize(
    ("command", "code", "status"),
    [("suspend", 13, ShareStatus.SUSPENDED), ("revoke", 14, ShareStatus.RETIRED)],
)
def test_owner_ends_the_key_with_the_pin(run, request_id, enrolled, command, code, status):
    assert run(command, "--pin-stdin", stdin="13570\n").exit_code == 10
    result = run(command, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert "1 wrong PINs were tried" in result.output
    assert enrolled.shares.load().status is status
    assert run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n").exit_code == code


def test_replace_lists_the_other_keys_and_takes_one_of_them(run, enrolled, world):
    assert "no other key" in run("replace").output
    certificate = world.pki.citizen(enrolled.shares.load().share.public_key)[0]
    world.signer.other_keys = (OtherKey(OLD_KEY, certificate, int(NOW.timestamp())),)
    assert OLD_KEY.hex() in run("replace").output
    assert run("replace", "00" * 16, "--pin-stdin", stdin=f"{PIN}\n").exit_code == 20
    assert not world.vault.actions
    result = run("replace", OLD_KEY.hex(), "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert [about for _, about in world.vault.actions.values()] == [OLD_KEY]


def test_signer_that_says_retired_outside_the_channel_is_only_quoted(
    run, request_id, enrolled, world
):
    async def say(*_):
        raise DeniedError("the signer refuses, and says: the key is retired")

    world.signer.check_photo = say
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert (result.exit_code, "says: the key is retired" in result.output) == (21, True)
    assert enrolled.shares.load().status is ShareStatus.ACTIVE
