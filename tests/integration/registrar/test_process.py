"""`python -m grpc_api registrar`: it starts, serves and stops; or says in one line why not."""

import asyncio
import socket
import sys

import pytest
import structlog

from grpc_api.__main__ import main
from grpc_api.clients.registrar import SandboxClient
from grpc_api.credentials import internal_channel
from grpc_api.registrar import RegistrarSettings
from grpc_api.settings import load_settings
from scripts.make_proto import ROOT
from signer_core.errors import InvalidRequestError, UnavailableError
from tests.fakes.pki import new_key
from tests.fixtures.certificates import key_pem


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def port():
    return _free_port()


@pytest.fixture
def config(certificates, tmp_path, port):
    tls = certificates.process("registrar.internal")
    key = tmp_path / "signing-key.pem"
    key.write_bytes(key_pem(new_key()))
    key.chmod(0o600)
    path = tmp_path / "registrar.toml"
    path.write_text(f"""
listen = "127.0.0.1:{port}"
database_url = "sqlite+aiosqlite:///{tmp_path}/registrar.db"
signing_key = "{key}"
[tls]
cert = "{tls.cert}"
key = "{tls.key}"
ca = "{tls.ca}"
[callers]
"signer.registrar.v1.SandboxService" = ["portal.internal"]
""")
    return path


async def _start(config):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "grpc_api",
        "registrar",
        "--config",
        str(config),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )


async def _issue(certificates, port):
    tls = certificates.process("portal.internal")
    for _ in range(100):
        async with internal_channel(f"127.0.0.1:{port}", "registrar.internal", tls) as channel:
            try:
                return await SandboxClient(channel).issue_activation_code("zrazkova")
            except UnavailableError:
                await asyncio.sleep(0.1)
    raise AssertionError("the registrar did not start")


async def test_it_starts_serves_and_stops(certificates, config, port, tmp_path):
    process = await _start(config)
    try:
        assert len((await _issue(certificates, port)).activation_code) == 10
    finally:
        process.terminate()
        _, said = await process.communicate()
    assert process.returncode == 0, said
    assert b"Traceback" not in said
    assert (tmp_path / "registrar.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda config: config.unlink(), "registrar.toml cannot be read"),
        (lambda config: config.write_text("listen ="), "is no TOML"),
        (lambda config: config.write_text(config.read_text() + "\n[x]\n"), "check x"),
        (lambda config: (config.parent / "signing-key.pem").unlink(), "key.pem cannot be read"),
        (lambda config: (config.parent / "signing-key.pem").chmod(0o644), "chmod 600"),
        (lambda config: (config.parent / "signing-key.pem").write_text("x"), "no private key"),
    ],
)
def test_it_says_in_one_line_why_it_cannot_start(config, change, told, monkeypatch, capsys):
    change(config)
    monkeypatch.setattr("sys.argv", ["grpc_api", "registrar", "--config", str(config)])
    monkeypatch.setattr("os.umask", lambda _mask: 0)
    try:
        assert main() == 1
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert told in said


async def test_it_says_that_its_address_is_taken(config, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        process = await _start(config)
        _, said = await process.communicate()
    assert process.returncode == 1
    assert "is it taken?" in said.decode()
    assert b"Traceback" not in said


def test_the_example_settings_load():
    example = ROOT / "deploy" / "examples" / "registrar.example.toml"
    settings = load_settings(RegistrarSettings, example)
    assert settings.callers["signer.registrar.v1.RegistrarService"] == ("signer.internal",)


def test_a_misspelt_setting_is_named(config):
    config.write_text(config.read_text().replace("listen", "lissten"))
    with pytest.raises(InvalidRequestError, match="listen"):
        load_settings(RegistrarSettings, config)
