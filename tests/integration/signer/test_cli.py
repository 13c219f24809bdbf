"""`signer` as a person uses it, against a signer on loopback."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grpc_api.gen.signer.phone.v1 import requests_pb2 as phones
from portal_web.cli import app
from signer_core.documents import verify_pdf
from tests.fakes.uploads import PDF, create, file

WIDE = {"COLUMNS": "200"}
ASSETS = Path(__file__).parents[2] / "assets"
ASK = ("--person", "1234567899", "--relying-party", "bank", "--purpose", "Договір")


@dataclass
class Cli:
    """The command, with a home of its own, in a thread with an event loop of its own."""

    home: Path

    async def run(self, *arguments):
        """Return exit code, standard output and standard error."""
        everything = ["--home", str(self.home), *map(str, arguments)]
        result = await asyncio.to_thread(CliRunner(env=WIDE).invoke, app, everything)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def cli(world, tmp_path):
    home = tmp_path / "var"
    tls = world.tls("portal.internal")
    (home / "portal").mkdir(parents=True)
    shutil.copytree(tls.cert.parent, home / "portal" / "tls")
    (home / "ports.json").write_text(json.dumps(world.ports | {"registrar": 1}))
    return Cli(home)


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "договір.pdf"
    path.write_bytes(PDF)
    return path


async def sign_when_shown(world, phone):
    """Be the person: sign the first request that the phone shows."""
    watch = phone.requests.WatchRequests(phones.WatchRequestsRequest())
    request_id = (await watch.read()).request_id
    watch.cancel()
    stored = await world.collection.requests.get(request_id)
    world.vault.sign(request_id, [entry.to_be_signed for entry in stored.files])
    await world.collection.collect(request_id)
    return request_id


async def test_a_document_is_signed_and_saved(world, cli, document, tmp_path):
    phone = await world.person()
    signing = asyncio.create_task(sign_when_shown(world, phone))
    code, out, err = await cli.run("request", document, *ASK, "--out", tmp_path / "out", "--json")
    assert code == 0, err
    answer = json.loads(out)
    assert (answer["status"], answer["request_id"]) == ("consumed", (await signing).hex())
    (saved,) = (tmp_path / "out").iterdir()
    assert saved.name == "договір.signed.pdf"
    roots = world.vault.citizens[phone.key_id].trust_roots
    (report,) = verify_pdf(saved.read_bytes(), trust_roots=roots, now=world.clock.now)
    assert report.coverage.whole_file
    assert document.read_bytes() == PDF


async def test_a_declined_request_is_an_exit_code(world, cli, document):
    phone = await world.person()
    asked = asyncio.create_task(cli.run("request", document, *ASK, "--wait"))
    watch = phone.requests.WatchRequests(phones.WatchRequestsRequest())
    request_id = (await watch.read()).request_id
    watch.cancel()
    await phone.requests.DeclineRequest(
        phones.DeclineRequestRequest(request_id=request_id, reason="[red]ні")
    )
    code, out, _ = await asked
    assert (code, "declined" in out) == (50, True)
    assert "[red]ні" in out  # not taken as markup


async def test_status_and_fetch_by_id(world, cli, tmp_path):
    phone = await world.person()
    request_id = await create(await world.signing(), file("a.pdf"), file("b.pdf"))
    code, out, _ = await cli.run("status", request_id.hex())
    assert (code, "is open" in out) == (0, True)
    code, _, err = await cli.run("fetch", request_id.hex(), "--out", tmp_path / "out")
    assert (code, "not signed yet" in err) == (23, True)
    await sign_when_shown(world, phone)
    for _ in range(2):  # again is harmless
        code, _, err = await cli.run("fetch", request_id.hex(), "--out", tmp_path / "out")
        assert code == 0, err
    saved = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert saved == ["a.signed.pdf", "b.signed.pdf"]


async def test_a_file_in_the_way_is_not_overwritten_and_nothing_is_written(world, cli, tmp_path):
    phone = await world.person()
    request_id = await create(await world.signing(), file("a.pdf"), file("b.pdf"))
    await sign_when_shown(world, phone)
    (tmp_path / "b.signed.pdf").write_text("mine")
    before = set(tmp_path.iterdir())
    code, _, err = await cli.run("fetch", request_id.hex(), "--out", tmp_path)
    assert (code, "is there already" in err) == (40, True)
    assert set(tmp_path.iterdir()) == before
    assert (tmp_path / "b.signed.pdf").read_text() == "mine"


async def test_a_full_disk_leaves_nothing_half_written(world, cli):
    phone = await world.person()
    request_id = await create(await world.signing())
    await sign_when_shown(world, phone)
    code, _, err = await cli.run("fetch", request_id.hex(), "--out", "/proc/self")
    assert (code, "cannot be written" in err) == (40, True)


BAD_FILES = {
    "encrypted": ("a.pdf", (ASSETS / "encrypted.pdf").read_bytes(), "encrypted"),
    "certified": ("a.pdf", (ASSETS / "certified_no_changes.pdf").read_bytes(), "file 1"),
}


@pytest.mark.parametrize(("name", "data", "said"), BAD_FILES.values(), ids=BAD_FILES)
async def test_a_bad_file_is_one_sentence_and_an_exit_code(world, cli, tmp_path, name, data, said):
    await world.person()
    path = tmp_path / name
    path.write_bytes(data)
    got, out, err = await cli.run("request", path, *ASK)
    assert (got, out) == (23, "")
    assert said in err
    assert err.count("\n") == 1
    assert world.vault.registered == {}


async def test_an_output_that_cannot_be_written_is_found_before_anybody_is_asked(
    world, cli, document
):
    await world.person()
    code, _, err = await cli.run("request", document, *ASK, "--out", document / "folder")
    assert (code, "cannot be written" in err) == (40, True)
    assert world.vault.registered == {}


async def test_an_unknown_person_is_an_exit_code_also_in_json(cli, document):
    code, out, _ = await cli.run("request", document, *ASK, "--json")
    assert (code, json.loads(out)["code"]) == (20, "not_found")


async def test_a_system_that_is_away_is_an_exit_code(cli):
    code, _, err = await cli.run("people")
    assert (code, "does not answer" in err) == (30, True)


async def test_no_system_at_all_is_an_exit_code(tmp_path):
    code, _, err = await Cli(tmp_path / "nothing").run("people")
    assert (code, "make up" in err) == (30, True)
