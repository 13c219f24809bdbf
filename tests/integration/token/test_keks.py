"""A KEK made while the token serves: pinned, found by the other process, never made twice."""

import json
import subprocess
import sys

import pytest

from deploy.home import REPOSITORY
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.port import KekId
from signer_core.errors import InvalidRequestError, NotFoundError

pytestmark = pytest.mark.softhsm
NEW = KekId("kek-3")

OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.port import KekId
from hsm_module.token.site import TokenSite, find_module
from signer_core.errors import NotFoundError

async def main(conf, path):
    site = TokenSite(find_module(None, {}), Path(conf), "test-token")
    token = await HsmToken.open(site, SecretStr(sys.stdin.readline().strip()),
                                read_manifest(Path(path)), Path(path))
    print("open", flush=True)
    blob = bytes.fromhex(sys.stdin.readline().strip())
    print((await token.unwrap(KekId("kek-3"), blob, b"aad")).decode(), flush=True)
    print(token.newest_kek(), flush=True)
    sys.stdin.readline()
    try:
        await token.unwrap(KekId("kek-1"), blob, b"aad")
    except NotFoundError:
        print(*token.keks(), flush=True)
    await token.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def manifest_path(soft_token, tmp_path):
    path = tmp_path / "token-manifest.json"
    path.write_text(soft_token.manifest.model_dump_json())
    return path


@pytest.fixture
async def token(soft_token, manifest_path):
    opened = await HsmToken.open(
        soft_token.site, soft_token.pin, soft_token.manifest, manifest_path
    )
    yield opened
    await opened.close()


async def test_a_kek_is_made_while_the_token_serves_and_passes_the_test_of_a_start(
    token, manifest_path, soft_token
):
    await token.make_kek(NEW)
    blob = await token.wrap(NEW, b"record", b"aad")
    assert token.newest_kek() == NEW
    await token.close()
    again = await HsmToken.open(soft_token.site, soft_token.pin, read_manifest(manifest_path))
    try:
        assert await again.unwrap(NEW, blob, b"aad") == b"record"
    finally:
        await again.close()


async def test_making_it_again_makes_no_other_key(token):
    await token.make_kek(NEW)
    blob = await token.wrap(NEW, b"record", b"aad")
    await token.make_kek(NEW)
    assert await token.unwrap(NEW, blob, b"aad") == b"record"


@pytest.mark.parametrize("name", ["kek-1", "kek-4", "kek-03", "seal-portal", "kek--1"])
async def test_no_kek_is_made_out_of_turn(token, name):
    with pytest.raises(InvalidRequestError):
        await token.make_kek(KekId(name))


async def test_a_key_that_nobody_pinned_is_made_anew(token, soft_token, manifest_path):
    """What a death between the token's write and the manifest's leaves."""
    before = manifest_path.read_bytes()
    await token.make_kek(NEW)
    await token.close()
    manifest_path.write_bytes(before)
    again = await HsmToken.open(soft_token.site, soft_token.pin, soft_token.manifest, manifest_path)
    try:
        with pytest.raises(NotFoundError):
            await again.wrap(NEW, b"record", b"aad")
        await again.make_kek(NEW)
        assert await again.unwrap(NEW, await again.wrap(NEW, b"record", b"a"), b"a") == b"record"
    finally:
        await again.close()


async def test_another_process_that_is_open_already_follows_a_kek_that_comes_or_goes(
    token, soft_token, manifest_path
):
    arguments = (str(soft_token.site.conf), str(manifest_path))
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write(soft_token.pin.get_secret_value() + "\n")
    other.stdin.flush()
    assert other.stdout.readline() == "open\n"
    await token.make_kek(NEW)
    other.stdin.write((await token.wrap(NEW, b"record", b"aad")).hex() + "\n")
    other.stdin.flush()
    assert [other.stdout.readline(), other.stdout.readline()] == ["record\n", "kek-3\n"]
    await token.unpin("kek-1")
    await token.destroy("kek-1")
    said, _ = other.communicate("\n", 30)
    assert said.splitlines() == ["kek-2 kek-3"]


@pytest.mark.parametrize(
    "damage",
    [
        "a key removed",
        "the newest KEK removed",
        "a signing key added",
        "a seal's key that is an authority's",
        "an authority's key exchanged",
        "a KEK that is none",
        "no manifest",
    ],
)
async def test_a_manifest_that_is_no_extension_changes_nothing(token, manifest_path, damage):
    content = json.loads(manifest_path.read_text())
    match damage:
        case "a key removed":
            del content["keys"]["issuing-ca"]
        case "the newest KEK removed":
            del content["keys"]["kek-2"]
        case "an authority's key exchanged":
            content["keys"]["issuing-ca"] = content["keys"]["device-ca"]
        case "a seal's key that is an authority's":
            content["keys"]["seal-portal"] = content["keys"]["issuing-ca"]
        case "a KEK that is none":
            content["keys"]["kek-3"] = content["keys"]["issuing-ca"]
        case "a signing key added":
            content["keys"]["other-ca"] = content["keys"]["issuing-ca"]
        case _:
            content = {}
    before = await token.public_key("issuing-ca")
    manifest_path.write_text(json.dumps(content))
    await token.random(1)
    assert await token.public_key("issuing-ca") == before
    with pytest.raises(NotFoundError):
        await token.public_key("other-ca")


async def test_an_authority_that_the_token_has_does_not_come_while_it_serves(soft_token, tmp_path):
    """Only the rule about labels keeps it out: the key is there, and passes its test."""
    full = soft_token.manifest
    left = {label: key for label, key in full.keys.items() if label != "device-ca"}
    path = tmp_path / "token-manifest.json"
    known = full.model_copy(update={"keys": left})
    path.write_text(known.model_dump_json())
    token = await HsmToken.open(soft_token.site, soft_token.pin, known, path)
    try:
        path.write_text(full.model_dump_json())
        with pytest.raises(NotFoundError):
            await token.public_key("device-ca")
    finally:
        await token.close()
