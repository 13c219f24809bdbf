"""`signer verify`, run the way a shell runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from portal_web.cli.verify import verify_command
from tests.fakes import handmade
from tests.fakes.citizen import Citizen
from tests.fakes.signing import sign_pdf


@pytest.fixture
def app():
    app = typer.Typer()
    app.command("verify")(verify_command)
    return app


@pytest.fixture
def folder(tmp_path, page, citizen, monkeypatch):
    """Signed, changed and unsigned files, and the root where it is looked for."""
    monkeypatch.chdir(tmp_path)
    public = tmp_path / "var" / "public"
    public.mkdir(parents=True)
    public.joinpath("root.pem").write_bytes(citizen.root.certificate.public_bytes(Encoding.PEM))
    signed = sign_pdf(page, citizen)
    tmp_path.joinpath("signed.pdf").write_bytes(signed)
    tmp_path.joinpath("changed.pdf").write_bytes(signed.replace(b"One page", b"Two page"))
    tmp_path.joinpath("plain.pdf").write_bytes(page)
    return tmp_path


def run(app, *arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_valid_is_0_and_says_who_and_when(app, folder):
    result = run(app, "signed.pdf")
    assert result.exit_code == 0
    assert "VALID" in result.stdout
    assert "Калинова Мар’яна Устимівна, RNOKPP 1234567899" in result.stdout
    assert "2026-11-21 12:00:00+00:00" in result.stdout
    assert "the whole file" in result.stdout


def test_not_valid_is_1_and_says_why(app, folder):
    result = run(app, "changed.pdf")
    assert result.exit_code == 1
    assert "NOT VALID" in result.stdout
    assert "the document was changed" in result.stdout


def test_one_of_two_not_valid_is_1(app, folder, citizen):
    twice = sign_pdf(folder.joinpath("signed.pdf").read_bytes(), Citizen.make())
    folder.joinpath("twice.pdf").write_bytes(twice)
    result = run(app, "twice.pdf")
    assert result.exit_code == 1
    assert "Signature 1: VALID" in result.stdout
    assert "Signature 2: NOT VALID" in result.stdout
    assert "revision 2 of 3" in result.stdout


def test_no_signature_is_2(app, folder):
    result = run(app, "plain.pdf")
    assert result.exit_code == 2
    assert "no signature" in result.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.pdf", "there is no file"),
        (".", "is a folder"),
        ("text.pdf", "not a PDF"),
        ("empty.pdf", "empty"),
        ("huge.pdf", "20 MiB"),
        ("signed.pdf/below", "cannot be read"),
        ("\x1b[31m\u202e[bold].pdf", "there is no file"),
    ],
)
def test_unreadable_is_3_in_one_line(app, folder, name, message):
    folder.joinpath("text.pdf").write_text("Not a PDF")
    folder.joinpath("empty.pdf").touch()
    with folder.joinpath("huge.pdf").open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    result = run(app, name)
    assert result.exit_code == 3
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "message"),
    [(PermissionError(13, "no"), "you may not read"), (OSError(5, "I/O"), "cannot be read")],
)
def test_file_that_the_system_does_not_give_is_3(app, folder, monkeypatch, error, message):
    # Raised in place of the system's: who runs the tests as root may read everything.
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    result = run(app, "signed.pdf")
    assert result.exit_code == 3
    assert message in result.stderr


def test_missing_or_wrong_trust_is_3(app, folder):
    folder.joinpath("wrong.pem").write_text("no certificate")
    assert run(app, "signed.pdf", "--trust", "missing.pem").exit_code == 3
    result = run(app, "signed.pdf", "--trust", "wrong.pem")
    assert result.exit_code == 3
    assert "no certificates in PEM" in result.stderr


def test_other_trust_is_taken_instead_of_the_default(app, folder):
    other = Citizen.make().root.certificate.public_bytes(Encoding.PEM)
    folder.joinpath("other.pem").write_bytes(other)
    result = run(app, "signed.pdf", "--trust", "other.pem")
    assert result.exit_code == 1
    assert "trusted authority" in result.stdout


def test_default_chain_helps_but_is_not_trusted(app, folder, citizen, tmp_path):
    pdf = handmade.unsigned()
    alone = handmade.openssl_cms(handmade.covered(pdf), citizen.certificate, citizen.key, tmp_path)
    folder.joinpath("alone.pdf").write_bytes(handmade.fill(pdf, alone))
    assert run(app, "alone.pdf").exit_code == 1
    chain = folder / "var/public/ca-chain.pem"
    chain.write_bytes(citizen.issuing.certificate.public_bytes(Encoding.PEM))
    assert run(app, "alone.pdf").exit_code == 0
    other = Citizen.make().root.certificate.public_bytes(Encoding.PEM)
    folder.joinpath("var/public/root.pem").write_bytes(other)
    assert run(app, "alone.pdf").exit_code == 1


def test_json_has_everything_and_the_same_exit_code(app, folder):
    result = run(app, "signed.pdf", "--json")
    (signature,) = json.loads(result.stdout)["signatures"]
    assert signature["valid"] is True
    assert signature["signer"]["tax_number"] == "1234567899"
    assert signature["coverage"]["whole_file"] is True
    assert signature["claimed_at"] == "2026-11-21T12:00:00+00:00"
    changed = run(app, "changed.pdf", "--json")
    assert changed.exit_code == 1
    assert json.loads(changed.stdout)["signatures"][0]["problem"] == "changed"
    assert run(app, "missing.pdf", "--json").exit_code == 3
    assert "no file" in json.loads(run(app, "missing.pdf", "--json").stdout)["error"]


def test_names_are_neither_markup_nor_control_characters(app, folder, page, citizen):
    evil = Citizen.make(citizen.root, common_name="[bold]\x1b[2J Підпис\x9b1m\n дійсний")
    folder.joinpath("evil.pdf").write_bytes(sign_pdf(page, evil))
    for arguments in (["evil.pdf"], ["evil.pdf", "--json"]):
        result = run(app, *arguments)
        assert result.exit_code == 0
        assert "[bold]" in result.stdout
        assert not {"\x1b", "\x9b"} & set(result.stdout)


def test_exit_codes_are_in_the_help(app):
    text = run(app, "--help").stdout
    assert "Exit code" in text


def test_process_prints_no_log_and_no_traceback(folder):
    code = (
        "import typer, sys; from portal_web.cli.verify import verify_command;"
        "app = typer.Typer(); app.command()(verify_command); app()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "signed.pdf", "--trust", "other.pem"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3
    assert result.stderr == "signer verify: there is no file other.pem\n"
