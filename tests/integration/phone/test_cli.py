"""`signer-phone` as a person types it, against a deployment in this process."""

import errno
import os
import subprocess
import sys

import pytest
import typer.main

from mobile_share.cli import app
from signer_core.errors import (
    KeyBlockedError,
    KeyHeldError,
    KeySuspendedError,
    PinRejectedError,
    RetireShareError,
    UnavailableError,
)
from tests.fakes.citizen import NOW
from tests.fakes.phone_pki import PERSON
from tests.fakes.phone_world import CODE

PIN = "48213"


@pytest.fixture
def request_id(enrolled, world):
    return world.signer.ask(enrolled.certificate(), pdfs=2).hex()


def test_enrol_shows_the_name_and_makes_a_certificate(enrol_phone, phone):
    result = enrol_phone()
    assert result.exit_code == 0, result.output
    assert f"The registrar recognised: {PERSON['common_name']}" in result.output
    assert phone.is_enrolled


def test_enrol_at_a_prompt_asks_for_the_name_and_twice_for_the_pin(run, tmp_path, phone):
    typed = "y\n12345\n48213\n48214\n48213\n48213\n"
    result = run("enrol", CODE, "--deployment", tmp_path / "deployment.json", stdin=typed)
    assert result.exit_code == 0, result.output
    assert "count up" in result.output
    assert "two different PINs" in result.output
    assert "48213" not in result.output
    assert phone.is_enrolled


def test_enrol_stops_where_the_name_is_not_mine(run, tmp_path, phone, world):
    result = run("enrol", CODE, "--deployment", tmp_path / "deployment.json", stdin="n\n")
    assert result.exit_code == 1
    assert not phone.has_share
    assert not world.vault.keys


@pytest.mark.parametrize("pin", ["12345", "11111", "19900", "123"])
def test_enrol_refuses_a_weak_pin(enrol_phone, phone, pin):
    assert enrol_phone(stdin=f"{pin}\n").exit_code == 5
    assert not phone.has_share


def test_enrol_refuses_a_wrong_code(enrol_phone):
    result = enrol_phone(code="WRONG")
    assert result.exit_code == 20
    assert "activation code" in result.output


@pytest.mark.usefixtures("enrolled")
def test_second_enrolment_is_refused(enrol_phone):
    assert enrol_phone().exit_code == 4


def test_enrol_finishes_what_was_interrupted(enrol_phone, phone, world):
    def die(_):
        raise UnavailableError("gone")

    world.vault.hooks["enrolled"] = die
    assert enrol_phone().exit_code == 30
    world.vault.hooks.clear()
    result = enrol_phone()
    assert result.exit_code == 0, result.output
    assert phone.is_enrolled


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"root_pem": "x"}'])
def test_broken_deployment_file_is_said_so(enrol_phone, tmp_path, content):
    (tmp_path / "deployment.json").write_text(content)
    assert enrol_phone().exit_code == 42


def test_missing_deployment_file_is_said_so(enrol_phone, tmp_path):
    (tmp_path / "deployment.json").unlink()
    assert enrol_phone().exit_code == 3


@pytest.mark.parametrize("name", ["none.jpg", "large.jpg", "empty.jpg"])
def test_photo_that_is_none_is_said_so(enrol_phone, tmp_path, name):
    (tmp_path / "large.jpg").write_bytes(bytes(256 * 1024 + 1))
    (tmp_path / "empty.jpg").write_bytes(b"")
    result = enrol_phone("--photo", tmp_path / name)
    assert result.exit_code == 23
    assert "photo" in result.output


def test_requests_shows_the_verified_name(run, request_id):
    result = run("requests")
    assert result.exit_code == 0
    assert request_id in result.output
    assert "Банк «Приклад»" in result.output
    assert "Договір оренди" in result.output


@pytest.mark.usefixtures("enrolled")
def test_no_requests_is_said_so(run):
    assert "Nothing to sign" in run("requests").output


def test_requests_repeats_nothing_that_does_not_verify(run, world, enrolled):
    world.signer.ask(enrolled.certificate(), relying_party="a.b.c", purpose="false words")
    world.signer.ask(enrolled.certificate(), purpose="a\x1b[2Jfalse")
    result = run("requests")
    assert result.output.count("REFUSED") == 2
    assert "false" not in result.output


def test_show_says_who_what_for_and_what(run, request_id):
    result = run("show", request_id)
    assert result.exit_code == 0
    for text in ("Example Bank", "Договір оренди", "https://example.org/back", "contract-1.pdf"):
        assert text in result.output
    assert "KiB" in result.output


def test_show_saves_the_documents_once(run, request_id, tmp_path, world):
    folder = tmp_path / "saved"
    assert run("show", request_id, "--save", folder).exit_code == 0
    saved = sorted(folder.iterdir())
    assert [path.name for path in saved] == ["01-contract-0.pdf", "02-contract-1.pdf"]
    assert [p.read_bytes() for p in saved] == world.signer.documents[bytes.fromhex(request_id)]
    assert run("show", request_id, "--save", folder).exit_code == 40


def test_markup_in_a_purpose_is_shown_as_it_is(run, world, enrolled):
    request_id = world.signer.ask(enrolled.certificate(), purpose="[bold]x[/bold]").hex()
    assert "[bold]x[/bold]" in run("show", request_id).output


def test_sign_shows_and_signs_with_the_pin(run, request_id, world):
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert "Example Bank" in result.output
    assert f"Signed: 2 of 2 documents of {request_id}" in result.output
    assert PIN not in result.output
    assert bytes.fromhex(request_id) in world.vault.results


def test_sign_at_a_prompt_hides_the_pin(run, request_id):
    result = run("sign", request_id, stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert PIN not in result.output


def test_several_requests_under_one_pin(run, request_id, world, enrolled):
    other = world.signer.ask(enrolled.certificate()).hex()
    result = run("sign", request_id, other, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert result.output.count("Signed:") == 2


def test_wrong_pin_is_tried_on_one_request_only(run, request_id, world, enrolled):
    other = world.signer.ask(enrolled.certificate()).hex()
    result = run("sign", request_id, other, "--pin-stdin", stdin="13570\n")
    assert result.exit_code == 10
    assert "8 attempts left" in result.output
    (key,) = world.vault.keys.values()
    assert key.failed == 1


def test_wrong_tries_are_told_after_the_next_success(run, request_id):
    run("sign", request_id, "--pin-stdin", stdin="13570\n")
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert "1 wrong PINs were tried" in result.output


LATER = int(NOW.timestamp()) + 3 * 3600 - 20


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (
            PinRejectedError(6, LATER),
            10,
            "6 attempts left before the key is blocked for good; wait",
        ),
        (KeyHeldError(LATER), 11, "wait 3 h 0 min, until "),
        (KeyBlockedError("the PINs are used up: enrol again"), 12, "enrol again"),
        (KeySuspendedError("the key is suspended"), 13, "suspended"),
        (RetireShareError("the key is retired"), 14, "retired"),
        (UnavailableError("the vault is away"), 27, "broke"),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_each_refusal_of_the_vault_is_a_sentence_and_a_code(
    run, request_id, world, error, code, text
):
    def refuse(_):
        raise error

    world.vault.hooks["step5"] = refuse
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert (result.exit_code, text in result.output) == (code, True), result.output


def test_retired_phone_says_so_in_status_too(run, request_id, world):
    def retire(_):
        raise RetireShareError("the key is retired")

    world.vault.hooks["step5"] = retire
    run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert "retired this phone's key for ever" in run("status").output
    assert run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n").exit_code == 14


def test_unknown_and_malformed_requests_are_said_so(run, request_id):
    assert run("sign", "00" * 16, "--pin-stdin").exit_code == 20
    for text in ("00", "zz" * 16, request_id + "00"):
        assert run("sign", text, "--pin-stdin").exit_code == 23


def test_signer_away_is_said_so(run, request_id, world):
    async def away(*_):
        raise UnavailableError("the other side does not answer: try again later")

    world.signer.get_request = away
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 30
    assert "try again later" in result.output


def test_decline_gives_the_reason(run, request_id, world):
    assert run("decline", request_id, "--reason", "not mine").exit_code == 0
    assert world.signer.declined == {bytes.fromhex(request_id): "not mine"}


def test_watch_prints_what_comes(run, request_id):
    result = run("watch")
    assert request_id in result.output


def test_status_shows_attempts_and_certificate(run, request_id):
    result = run("status")
    assert result.exit_code == 0, result.output
    for text in (PERSON["common_name"], "PIN attempts left", "valid, 2026-11-2", "Signatures made"):
        assert text in result.output


@pytest.mark.parametrize("command", ["requests", "status", "watch"])
def test_phone_that_is_not_enrolled_says_so(run, command):
    result = run(command, home="nobody")
    assert result.exit_code == 3
    assert "not enrolled" in result.output


@pytest.mark.parametrize("content", [b"", b"torn", b"DSPF\x02" + bytes(64)])
def test_corrupted_share_file_is_said_so(run, request_id, enrolled, content):
    (enrolled.folder / "share").write_bytes(content)
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == (43 if content.startswith(b"DSPF\x02") else 42)


def test_full_disk_signs_nothing_and_says_so(run, request_id, world, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 40
    assert "disk is full" in result.output
    assert bytes.fromhex(request_id) not in world.vault.results


def test_read_only_folder_is_said_so(enrol_phone, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    result = enrol_phone()
    assert result.exit_code == 40
    assert "read-only" in result.output


def test_lost_reply_is_said_so(run, request_id, world, enrolled):
    def cut(_):
        raise UnavailableError("gone")

    world.vault.hooks["step6"] = cut
    result = run("sign", request_id, "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0
    assert "answer was lost" in result.output
    assert len(enrolled.shares.load().pending) == 1


def test_a_defect_shows_no_traceback_and_no_pin(tmp_path):
    """In a process of its own, as the hook is the process's."""
    script = (
        "import sys, mobile_share.cli.status as status\n"
        "from mobile_share.cli import app\n"
        f"def defect(_): raise ZeroDivisionError('{PIN}')\n"
        "status.connected = defect\n"
        "app(['--home', sys.argv[1], 'status'])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Internal error (ZeroDivisionError): please report it.\n"
    assert done.stdout == ""


def test_every_command_has_a_help():
    group = typer.main.get_command(app)
    assert set(group.commands) == {
        *("enrol", "requests", "show", "sign", "decline", "watch", "status"),
        *("pin-change", "refresh", "suspend", "revoke", "replace", "suspend-code", "renew"),
        *("open", "confirm", "history"),
    }
    assert all(command.help for command in group.commands.values())
