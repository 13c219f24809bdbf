"""The ceremony on real SoftHSM tokens: complete, repeatable, killable, and never replacing."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from joserfc import jws
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from hsm_module.ceremony import files
from hsm_module.ceremony.cli import app
from hsm_module.ceremony.files import only_one
from hsm_module.ceremony.home import Home
from hsm_module.ceremony.plan import Plan, TokenPlan, read_keys, read_relying_parties
from hsm_module.ceremony.run import run_ceremony
from hsm_module.token.errors import TokenFaultError
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.port import KeyLabel
from hsm_module.token.site import TokenSite, find_module, read_pin
from signer_core.errors import InvalidRequestError, SignerError, UnavailableError, VerificationError
from tests.fakes.pki import ukraine
from tests.fixtures.softhsm import KEK

pytestmark = pytest.mark.softhsm

CONFIG = Path(__file__).parents[3] / "softhsm_config"
NOW = datetime.now(UTC)
PROCESSES = ("vault", "signer", "registrar", "portal", "worker", "officer", "health")


def make_plan() -> Plan:
    return Plan(
        module=find_module(None, os.environ),
        conf_template=(CONFIG / "softhsm2.conf.template").read_text(),
        keys=read_keys(CONFIG / "keys.toml"),
        relying_parties=read_relying_parties(CONFIG / "relying-parties.toml"),
        country=ukraine(),
        organization="Test",
        vault_id="vault-1",
        trust_url="http://portal.test",
    )


def run(home: Home, plan: Plan | None = None, now: datetime | None = None) -> dict[str, list[str]]:
    """Run the ceremony; return what was made, by line of the story."""
    story: dict[str, list[str]] = {}
    now = now or datetime.now(UTC)  # a suite may run for longer than certificates are backdated
    run_ceremony(home, plan or make_plan(), now, lambda what, made: story.update({what: made}))
    return story


def snapshot(home: Home) -> dict[str, bytes]:
    """Every file but those that a login rewrites."""
    return {
        str(path.relative_to(home.path)): path.read_bytes()
        for path in sorted(home.path.rglob("*"))
        if path.is_file() and path.name not in {"token.object", "generation"}
        if path.parent.name != "backup"
    }


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("ceremony") / "var")
    run(home)
    return home


@pytest.fixture
def home(original: Home, tmp_path: Path) -> Home:
    """A finished ceremony of its own; SoftHSM's configuration names the folder, so it is moved."""
    copy = Home(tmp_path / "var")
    shutil.copytree(original.path, copy.path)
    for conf in (copy.serving.conf, copy.root.conf):
        conf.write_text(conf.read_text().replace(str(original.path), str(copy.path)))
    return copy


def serving_site(home: Home) -> TokenSite:
    return TokenSite(find_module(None, os.environ), home.serving.conf, "diia-signer")


async def test_the_vault_opens_what_the_ceremony_made(home: Home) -> None:
    manifest = read_manifest(home.serving.manifest)
    token = await HsmToken.open(serving_site(home), read_pin(home.serving.pin), manifest)
    try:
        for label in ("issuing-ca", "device-ca", "infrastructure-ca", "registry"):
            certificate = x509.load_pem_x509_certificate(home.certificate(label).read_bytes())
            assert await token.public_key(KeyLabel(label)) == certificate.public_key()
    finally:
        await token.close()


def test_openssl_accepts_every_process(home: Home) -> None:
    for name in PROCESSES:
        folder = home.path / name / "tls"
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem"]
        options = ["-untrusted", "cert.pem", "-verify_hostname", f"{name}.internal"]
        subprocess.run([*command, *options, "cert.pem"], cwd=folder, check=True)
        names = ["-verify_hostname", "localhost", "-verify_ip", "127.0.0.1"]
        options = ["-untrusted", "cert.pem", *names]
        subprocess.run([*command, *options, "cert.pem"], cwd=folder, check=True)
    vault = ["-untrusted", "cert.pem", "-verify_hostname", "vault-1.vault.internal", "cert.pem"]
    subprocess.run([*command, *vault], cwd=home.path / "vault" / "tls", check=True)
    for name in ("issuing-ca", "device-ca", "infrastructure-ca", "registry"):
        subprocess.run([*command[:4], "root.pem", f"{name}.pem"], cwd=home.public, check=True)


def test_authorities_name_the_roots_list_where_the_portal_is(home: Home) -> None:
    for label in ("issuing-ca", "device-ca", "infrastructure-ca"):
        found = x509.load_pem_x509_certificate(home.certificate(label).read_bytes()).extensions
        (point,) = found.get_extension_for_class(x509.CRLDistributionPoints).value
        assert [one.value for one in point.full_name] == ["http://portal.test/crl/root.crl"]
        (access,) = found.get_extension_for_class(x509.AuthorityInformationAccess).value
        assert access.access_location.value == "http://portal.test/ca/root.cer"


def test_process_certificates_are_in_the_vaults_book(home: Home) -> None:
    def entered() -> set[x509.Certificate]:
        book = home.process_certificates.read_bytes()
        return set(x509.load_pem_x509_certificates(book))

    def in_use() -> set[x509.Certificate]:
        paths = (home.path / name / "tls" / "cert.pem" for name in PROCESSES)
        return {x509.load_pem_x509_certificate(path.read_bytes()) for path in paths}

    first = in_use()
    assert entered() == first
    (home.path / "portal" / "tls" / "cert.pem").unlink()
    run(home)
    assert entered() == first | in_use()  # the old one is good until it runs out
    assert len(entered()) == len(PROCESSES) + 1


def test_secrets_are_readable_by_their_owner_only(home: Home) -> None:
    secrets = [home.serving.pin, home.serving.so_pin, home.root.pin, home.root.so_pin]
    secrets += home.path.glob("*/tls/key.pem")
    secrets += [home.path / "registrar" / "signing-key.pem"]
    secrets += [home.path / "signer" / "callback-key.pem"]
    assert len(secrets) == 4 + len(PROCESSES) + 2
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    pins = {path.read_text().strip() for path in secrets[:4]}
    assert len(pins) == 4
    assert all(len(bytes.fromhex(pin)) == 16 for pin in pins)


def test_the_serving_configuration_does_not_see_the_root_token(home: Home) -> None:
    for conf, label in ((home.serving.conf, "diia-signer"), (home.root.conf, "diia-signer-root")):
        shown = subprocess.run(
            ["softhsm2-util", "--show-slots"],
            env=os.environ | {"SOFTHSM2_CONF": str(conf)},
            capture_output=True,
            text=True,
            check=True,
        )
        labels = [line.split()[-1] for line in shown.stdout.splitlines() if "Label:  " in line]
        assert [x for x in labels if x != "Label:"] == [label]


def test_every_relying_party_is_signed_by_the_registry(home: Home) -> None:
    certificate = x509.load_pem_x509_certificate(home.certificate("registry").read_bytes())
    key = ECKey.import_key(certificate.public_key())
    tokens = json.loads((home.public / "relying-parties.json").read_text())
    claims = [json.loads(jws.deserialize_compact(t, key, ["ES256"]).payload) for t in tokens]
    assert [c["id"] for c in claims] == ["sandbox-bank", "sandbox-notary", "diia-signer"]


def test_a_second_run_changes_nothing(home: Home) -> None:
    before = snapshot(home)
    assert not any(run(home).values())
    assert snapshot(home) == before


def test_a_run_without_the_root_token_changes_nothing(home: Home) -> None:
    shutil.rmtree(home.root.conf.parent)
    before = snapshot(home)
    run(home)
    assert snapshot(home) == before


class CrashError(BaseException):
    """As if the process were gone: nothing catches it."""


@pytest.mark.parametrize("write", [1, 7, 13, 19, 25, 31])
def test_a_run_that_dies_at_any_write_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    home, real, count = Home(tmp_path / "var"), files._write, iter(range(1000))

    def dying(path: Path, content: bytes, mode: int) -> None:
        if next(count) == write:
            raise CrashError
        real(path, content, mode)

    with monkeypatch.context() as patch:
        patch.setattr(files, "_write", dying)
        with pytest.raises(CrashError):
            run(home)
    keys = {p: p.read_bytes() for p in (home.serving.manifest, home.root.manifest) if p.exists()}
    keys |= {p: p.read_bytes() for p in home.path.rglob("*.pem")}
    keys.pop(home.process_certificates, None)  # a book: it grows with what is issued
    run(home)
    assert not any(run(home).values())
    assert {path: path.read_bytes() for path in keys} == keys


def test_a_run_killed_at_any_moment_is_completed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hsm_module.ceremony", "--home"]
    for attempt in range(3):
        home = Home(tmp_path / str(attempt))
        child = subprocess.Popen(
            [*command, str(home.path)], cwd=CONFIG.parent, stdout=subprocess.DEVNULL
        )
        while not home.path.exists() and child.poll() is None:
            time.sleep(0.001)  # the imports are over when the folder appears
        time.sleep(random.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        run(home)
        assert not any(run(home).values())


def test_a_lost_manifest_of_a_token_in_use_is_refused(home: Home) -> None:
    home.serving.manifest.unlink()
    before = snapshot(home)
    with pytest.raises(TokenFaultError, match="in use"):
        run(home)
    assert snapshot(home) == before


def test_a_lost_manifest_is_refused_even_with_the_certificates_gone(home: Home) -> None:
    home.serving.manifest.unlink()
    shutil.rmtree(home.public)
    (home.path / "vault" / "vault.db").touch()
    with pytest.raises(TokenFaultError, match="in use"):
        run(home)


@pytest.mark.parametrize("lost", ["pin", "tokens"])
def test_a_lost_pin_or_token_is_refused(home: Home, lost: str) -> None:
    if lost == "pin":
        home.serving.pin.unlink()
    else:
        shutil.rmtree(serving_site(home).tokens)
    with pytest.raises(TokenFaultError):
        run(home)


def test_a_missing_authority_needs_the_root_token(home: Home) -> None:
    home.certificate("device-ca").unlink()
    away = home.path / "away"
    home.root.conf.parent.rename(away)
    with pytest.raises(TokenFaultError, match="bring it back"):
        run(home)
    away.rename(home.root.conf.parent)
    assert run(home)["certificates"] == ["device-ca"]


def test_another_root_token_is_refused(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    run(other)
    shutil.rmtree(home.root.conf.parent)
    shutil.copytree(other.root.conf.parent, home.root.conf.parent)
    home.certificate("device-ca").unlink()
    with pytest.raises(VerificationError, match="another key"):
        run(home)
    assert not home.certificate("device-ca").exists()


@pytest.mark.parametrize("name", ["issuing-ca", "registry", "root"])
def test_a_certificate_of_another_ceremony_is_refused(
    home: Home, tmp_path: Path, name: str
) -> None:
    other = Home(tmp_path / "other")
    run(other)
    shutil.copy(other.certificate(name), home.certificate(name))
    with pytest.raises(VerificationError, match=r"another (key|issuer)"):
        run(home)


def test_a_broken_certificate_is_refused(home: Home) -> None:
    home.certificate("issuing-ca").write_text("garbage")
    with pytest.raises(VerificationError, match="not a certificate"):
        run(home)


def test_a_new_key_is_added_and_the_old_ones_stay(home: Home) -> None:
    plan = make_plan()
    keys = plan.keys.serving.keys | {"kek-2": KEK}
    serving = TokenPlan(token_label="diia-signer", keys=keys)
    grown = plan.keys.model_copy(update={"serving": serving})
    before = read_manifest(home.serving.manifest).keys
    plan = Plan(**{f: getattr(plan, f) for f in Plan.__slots__} | {"keys": grown})
    assert run(home, plan)["serving token"] == ["kek-2"]
    after = read_manifest(home.serving.manifest).keys
    assert {label: after[label] for label in before} == before
    assert set(after) == {*before, "kek-2"}


def test_a_changed_policy_of_a_key_in_use_is_refused(home: Home) -> None:
    plan = make_plan()
    keys = plan.keys.serving.keys | {"registry": KEK}
    serving = TokenPlan(token_label="diia-signer", keys=keys)
    changed = plan.keys.model_copy(update={"serving": serving})
    plan = Plan(**{f: getattr(plan, f) for f in Plan.__slots__} | {"keys": changed})
    with pytest.raises(InvalidRequestError, match="new label"):
        run(home, plan)


@pytest.mark.parametrize("key", ["registrar/signing-key.pem", "signer/callback-key.pem"])
def test_a_key_of_statements_is_never_made_twice(home: Home, key: str) -> None:
    (home.path / key).unlink()
    with pytest.raises(VerificationError, match="lost"):
        run(home)


def test_a_process_certificate_is_renewed_for_the_same_key(home: Home) -> None:
    path = home.path / "signer" / "tls" / "cert.pem"
    before = x509.load_pem_x509_certificate(path.read_bytes())
    assert run(home, now=NOW + timedelta(days=300))["process certificates"] == []
    assert "signer" in run(home, now=NOW + timedelta(days=340))["process certificates"]
    after = x509.load_pem_x509_certificate(path.read_bytes())
    assert after.public_key() == before.public_key()
    assert after.not_valid_after_utc > before.not_valid_after_utc


def test_a_record_that_was_edited_is_signed_again(home: Home) -> None:
    path = home.public / "relying-parties.json"
    tokens = json.loads(path.read_text())
    path.write_text(json.dumps([tokens[0][:-4] + "AAAA", *tokens[1:]]))
    assert run(home)["relying parties"] == ["sandbox-bank", "sandbox-notary", "diia-signer"]


def test_two_ceremonies_at_once_are_refused(home: Home) -> None:
    with only_one(home.path), pytest.raises(UnavailableError, match="another ceremony"):
        run(home)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--module", "/nowhere/libsofthsm2.so"],
        ["--config", "/nowhere"],
        ["--country", "xx"],
        ["--home", "/proc/nowhere"],
        ["--home", "/dev/full"],
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path, arguments: list[str]) -> None:
    options = arguments if "--home" in arguments else ["--home", str(tmp_path / "var"), *arguments]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith("ceremony failed: ")


def test_the_story_tells_no_secret(tmp_path: Path) -> None:
    home = Home(tmp_path / "var")
    result = CliRunner().invoke(app, ["--home", str(home.path)])
    assert result.exit_code == 0
    assert "root-token" in result.output
    for path in (home.serving.pin, home.serving.so_pin, home.root.pin, home.root.so_pin):
        assert path.read_text().strip() not in result.output


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[serving]\n",
        "nonsense",
        '[serving]\ntoken_label = "x"\nkeys = { a = {} }\n',
    ],
)
def test_a_wrong_key_policy_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.toml").write_text(text)
    with pytest.raises(SignerError, match=r"keys\.toml"):
        read_keys(tmp_path / "keys.toml")


def test_a_key_the_vault_cannot_use_is_refused(tmp_path: Path) -> None:
    text = (CONFIG / "keys.toml").read_text()
    (tmp_path / "keys.toml").write_text(text.replace('"AES_GCM"', '"ECDSA"'))
    with pytest.raises(InvalidRequestError, match="kek"):
        read_keys(tmp_path / "keys.toml")
