"""How a SoftHSM token fails, each with one sentence and its own fault."""

import asyncio
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pkcs11.constants import Attribute
from pydantic import SecretStr

from hsm_module.token import backup, keys
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.initialise import initialise_token
from hsm_module.token.manifest import Manifest, PinnedKey, read_manifest
from hsm_module.token.opening import open_token
from hsm_module.token.port import KekId, KeyLabel
from hsm_module.token.probe import probe_token
from hsm_module.token.self_test import pin_key
from tests.fixtures.softhsm import POLICIES, SIGNING, SoftToken, make_empty_site

VALUE_ATTRIBUTE = (0x11).to_bytes(8, "big")  # CKA_VALUE, as SoftHSM writes attribute types

pytestmark = pytest.mark.softhsm


async def fault_of(soft: SoftToken) -> TokenFault:
    with pytest.raises(TokenFaultError) as caught:
        await HsmToken.open(soft.site, soft.pin, soft.manifest)
    assert "\n" not in str(caught.value)
    return caught.value.fault


def object_file(soft: SoftToken, label: str) -> Path:
    """The file of the secret key, or of the private half: the larger one."""
    paths = [soft.site.tokens / name for name in soft.files[label]]
    return max(paths, key=lambda path: path.stat().st_size)


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 4
    file.write_bytes(content)


def with_keys(soft: SoftToken, **changed: PinnedKey) -> SoftToken:
    pinned = soft.manifest.keys | {k.replace("_", "-"): v for k, v in changed.items()}
    return replace(soft, manifest=Manifest(token_label=soft.site.label, keys=pinned))


async def test_a_good_token_opens(soft_token: SoftToken) -> None:
    token = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest)
    await token.close()
    await token.close()


async def test_a_missing_folder_is_a_missing_token(soft_token: SoftToken) -> None:
    shutil.rmtree(soft_token.site.conf.parent)
    assert await fault_of(soft_token) is TokenFault.MISSING


async def test_an_empty_folder_is_a_missing_token(soft_token: SoftToken) -> None:
    shutil.rmtree(soft_token.site.tokens)
    soft_token.site.tokens.mkdir()
    assert await fault_of(soft_token) is TokenFault.MISSING


async def test_another_label_is_a_missing_token(soft_token: SoftToken) -> None:
    manifest = Manifest(token_label="another", keys=soft_token.manifest.keys)
    site = replace(soft_token.site, label="another")
    # the folder holds a token, only not this one: SoftHSM cannot say more than "damaged"
    assert await fault_of(replace(soft_token, site=site, manifest=manifest)) in {
        TokenFault.MISSING,
        TokenFault.DAMAGED,
    }


async def test_a_manifest_of_another_token_is_refused(soft_token: SoftToken) -> None:
    manifest = Manifest(token_label="another", keys=soft_token.manifest.keys)
    assert await fault_of(replace(soft_token, manifest=manifest)) is TokenFault.SETTINGS


async def test_a_wrong_pin_is_named(soft_token: SoftToken) -> None:
    wrong = replace(soft_token, pin=SecretStr("0" * 32))
    assert await fault_of(wrong) is TokenFault.PIN_WRONG


async def test_a_file_that_is_no_module_is_named(soft_token: SoftToken, tmp_path: Path) -> None:
    fake = tmp_path / "libsofthsm2.so"
    fake.write_bytes(b"not a library")
    site = replace(soft_token.site, module=fake)
    assert await fault_of(replace(soft_token, site=site)) is TokenFault.SETTINGS


async def test_two_copies_of_a_token_are_refused(soft_token: SoftToken) -> None:
    (folder,) = soft_token.site.tokens.iterdir()
    shutil.copytree(folder, soft_token.site.tokens / "00000000-0000-0000-0000-000000000001")
    assert await fault_of(soft_token) is TokenFault.AMBIGUOUS


async def test_an_emptied_token_object_comes_back_from_its_copy(soft_token: SoftToken) -> None:
    (original,) = soft_token.site.tokens.glob("*/token.object")
    original.write_bytes(b"")
    token = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest)
    await token.close()
    assert original.stat().st_size > 0


async def test_an_emptied_token_object_without_a_copy_is_damage(soft_token: SoftToken) -> None:
    (original,) = soft_token.site.tokens.glob("*/token.object")
    original.write_bytes(b"")
    shutil.rmtree(soft_token.site.backup)
    assert await fault_of(soft_token) is TokenFault.DAMAGED


async def test_an_empty_token_object_is_never_copied_over_the_backup(
    soft_token: SoftToken,
) -> None:
    (original,) = soft_token.site.tokens.glob("*/token.object")
    original.write_bytes(b"")
    backup.save_token_object(soft_token.site)
    (copy,) = soft_token.site.backup.iterdir()
    assert copy.stat().st_size > 0


async def test_a_cut_token_object_is_damage(soft_token: SoftToken) -> None:
    (original,) = soft_token.site.tokens.glob("*/token.object")
    original.write_bytes(original.read_bytes()[:40])
    assert await fault_of(soft_token) is TokenFault.DAMAGED


@pytest.mark.parametrize("label", ["kek-1", "state-mac", "issuing-ca"])
async def test_a_missing_key_is_named(soft_token: SoftToken, label: str) -> None:
    object_file(soft_token, label).unlink()
    assert await fault_of(soft_token) is TokenFault.KEY_MISSING


@pytest.mark.parametrize("position", [140, 245, 325])  # lengths inside SoftHSM's file
async def test_damage_that_kills_the_library_is_still_reported(
    soft_token: SoftToken, position: int
) -> None:
    flip(object_file(soft_token, "kek-1"), position)
    assert await fault_of(soft_token) is TokenFault.DAMAGED


def test_damage_that_hangs_the_library_is_still_reported(soft_token: SoftToken) -> None:
    flip(object_file(soft_token, "kek-1"), 85)
    with pytest.raises(TokenFaultError, match="hangs") as caught:
        probe_token(soft_token.site, soft_token.pin, soft_token.manifest, timeout_s=3)
    assert caught.value.fault is TokenFault.DAMAGED


@pytest.mark.parametrize("label", ["kek-1", "state-mac", "issuing-ca"])
async def test_a_key_value_with_a_flipped_bit_is_not_served(
    soft_token: SoftToken, label: str
) -> None:
    file = object_file(soft_token, label)
    flip(file, file.read_bytes().index(VALUE_ATTRIBUTE) + 40)
    assert await fault_of(soft_token) is TokenFault.KEY_ALTERED


@pytest.mark.parametrize("label", ["kek_1", "state_mac", "issuing_ca"])
async def test_a_key_that_is_not_the_pinned_one_is_refused(
    soft_token: SoftToken, label: str
) -> None:
    name = label.replace("_", "-")
    with open_token(soft_token.site, soft_token.pin, writable=True) as session:
        session.make_key("stranger", POLICIES[name])
        proof = pin_key(session, "stranger", POLICIES[name])
        if label == "kek_1":  # right AAD, another key
            proof = pin_key(session, "kek-2", POLICIES[name])
    assert await fault_of(with_keys(soft_token, **{label: proof})) is TokenFault.KEY_ALTERED


async def test_two_keys_of_a_label_are_refused(soft_token: SoftToken) -> None:
    with open_token(soft_token.site, soft_token.pin, writable=True) as session:
        keys.make_key(session._session, "issuing-ca", SIGNING)
    assert await fault_of(soft_token) is TokenFault.AMBIGUOUS


async def test_an_extractable_key_is_refused(soft_token: SoftToken) -> None:
    with open_token(soft_token.site, soft_token.pin, writable=True) as session:
        keys.discard_key(session._session, "kek-1")
        raw = session._session
        guarded = keys._GUARDED | {Attribute.EXTRACTABLE: True}
        original, keys._GUARDED = keys._GUARDED, guarded
        try:
            keys.make_key(raw, "kek-1", POLICIES["kek-1"])
        finally:
            keys._GUARDED = original
        pinned = pin_key(session, "kek-1", POLICIES["kek-1"])
    assert await fault_of(with_keys(soft_token, kek_1=pinned)) is TokenFault.KEY_ALTERED


async def test_a_vanished_token_is_dead_for_good(soft_token: SoftToken, tmp_path: Path) -> None:
    token = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest)
    try:
        waiting = asyncio.create_task(token.wait_for_fault())
        soft_token.site.tokens.rename(tmp_path / "away")
        with pytest.raises(TokenFaultError):
            await token.sign_digest(KeyLabel("issuing-ca"), bytes(32))
        (tmp_path / "away").rename(soft_token.site.tokens)
        with pytest.raises(TokenFaultError):
            await token.mac(b"state")
        assert (await asyncio.wait_for(waiting, 5)).fault is TokenFault.GONE
    finally:
        await token.close()


async def test_a_dead_token_is_not_mistaken_for_a_forged_record(
    soft_token: SoftToken, tmp_path: Path
) -> None:
    token = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest)
    try:
        blob = await token.wrap(KekId("kek-1"), b"share", b"aad")
        shutil.rmtree(soft_token.site.tokens)
        with pytest.raises(TokenFaultError):
            await token.unwrap(KekId("kek-1"), blob, b"aad")
    finally:
        await token.close()


async def test_a_second_token_in_a_process_is_refused(soft_token: SoftToken) -> None:
    with open_token(soft_token.site, soft_token.pin) as session:
        assert await fault_of(soft_token) is TokenFault.MISUSED
        assert len(session.random(16)) == 16


async def test_another_thread_is_refused(soft_token: SoftToken) -> None:
    with open_token(soft_token.site, soft_token.pin) as session:
        with pytest.raises(TokenFaultError) as caught:
            await asyncio.to_thread(session.random, 16)
        assert caught.value.fault is TokenFault.MISUSED


def test_a_forked_child_is_refused(soft_token: SoftToken) -> None:
    with open_token(soft_token.site, soft_token.pin) as session:
        child = multiprocessing.get_context("fork").Process(target=_child, args=(session,))
        child.start()
        child.join(20)
        assert child.exitcode == 0


def _child(session: object) -> None:
    try:
        session.random(16)  # type: ignore[attr-defined]  # a TokenSession from before the fork
    except TokenFaultError:
        os._exit(0)
    os._exit(1)


def test_processes_that_open_at_once_all_get_in(soft_token: SoftToken, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(soft_token.manifest.model_dump_json())
    (tmp_path / "pin").write_text(soft_token.pin.get_secret_value())
    (tmp_path / "pin").chmod(0o600)
    code = (
        "import sys; from pathlib import Path\n"
        "from hsm_module.token.manifest import read_manifest\n"
        "from hsm_module.token.opening import open_token\n"
        "from hsm_module.token.self_test import self_test\n"
        "from hsm_module.token.site import TokenSite, read_pin\n"
        "conf, module, folder = map(Path, sys.argv[1:])\n"
        "for _ in range(5):\n"
        "    site = TokenSite(module, conf, 'test-token')\n"
        "    with open_token(site, read_pin(folder / 'pin')) as s:\n"
        "        self_test(s, read_manifest(folder / 'manifest.json'))\n"
    )
    command = [sys.executable, "-c", code, soft_token.site.conf, soft_token.site.module, tmp_path]
    children = [subprocess.Popen([str(part) for part in command]) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]


def test_a_second_token_is_never_made_over_the_first(soft_token: SoftToken) -> None:
    with pytest.raises(TokenFaultError, match="not empty"):
        initialise_token(soft_token.site, SecretStr("1" * 32), SecretStr("2" * 32))


def test_a_new_token_opens_only_with_its_own_pin(tmp_path: Path) -> None:
    site = make_empty_site(tmp_path / "fresh", "fresh")
    initialise_token(site, SecretStr("1" * 32), SecretStr("2" * 32))
    with open_token(site, SecretStr("2" * 32)) as session:
        assert len(session.random(8)) == 8
    with pytest.raises(TokenFaultError), open_token(site, SecretStr("1" * 32)):
        pass


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1', "[]"])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(TokenFaultError) as caught:
        read_manifest(tmp_path / "m.json")
    assert caught.value.fault is TokenFault.DAMAGED


def test_a_manifest_of_another_version_is_refused(soft_token: SoftToken, tmp_path: Path) -> None:
    content = json.loads(soft_token.manifest.model_dump_json()) | {"version": 2}
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(TokenFaultError):
        read_manifest(tmp_path / "m.json")
