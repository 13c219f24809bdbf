"""tools/audit_verify.py finds and names what was done to an export."""

import ast
import asyncio
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.storage.engine import upgrade
from signer_core.storage.signer.schema import MIGRATIONS
from tests.integration.audit.conftest import LogWorld

TOOL = Path(__file__).parents[3] / "tools" / "audit_verify.py"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """25 rows under checkpoints of 10, 20 and 23 rows; two rows after the last."""
    folder = tmp_path_factory.mktemp("export")

    async def make():
        url = f"sqlite+aiosqlite:///{folder}/signer.db"
        await upgrade(url, MIGRATIONS)
        log = LogWorld(url, folder / "audit", rows_a_file=1000)
        for count in (10, 10, 3, 2):
            await log.record(count)
            await log.keeper.step()
            if count > 2:
                await log.keeper.sign_now()
        log.sink.close()
        await log.engine.dispose()
        return log.vault.key.public_key()

    key = asyncio.run(make())
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "audit" / "audit-log.pem").write_bytes(pem)
    return folder / "audit"


@pytest.fixture
def copy(export, tmp_path):
    return Path(shutil.copytree(export, tmp_path / "copy"))


def verify(folder, *more):
    key = folder / "audit-log.pem"
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), str(folder), "--key", str(key), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def events(folder):
    (path,) = folder.glob("events-*.jsonl")
    return path


def edit(folder, change):
    path = events(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def test_a_whole_log_is_whole(export):
    code, said = verify(export)
    assert (code, said) == (0, "25 rows, 23 of them under a checkpoint: whole\n")


@pytest.mark.parametrize("row", [0, 7, 10, 19, 22])
def test_a_changed_row_is_named(copy, row):
    edit(copy, lambda lines: put(lines, row, lines[row].replace(b"searched", b"exported")))
    code, said = verify(copy)
    assert code == 1
    assert f"row {row} was changed\n" in said
    assert said.count("changed") == 1


def put(lines, place, line):
    assert lines[place] != line
    lines[place] = line


def test_every_changed_byte_of_a_row_is_found(copy):
    original = events(copy).read_bytes()
    begin = original.index(b"\n") + 1
    end = original.index(b"\n", begin)
    for place in range(begin, end + 1, 7):
        changed = bytearray(original)
        changed[place] ^= 1
        events(copy).write_bytes(bytes(changed))
        code, said = verify_here(copy)
        assert code == 1, (place, said)


def verify_here(folder):
    """The same without a process each: its functions."""
    spec = importlib.util.spec_from_file_location("audit_verify", TOOL)
    tool = importlib.util.module_from_spec(spec)
    sys.modules["audit_verify"] = tool
    spec.loader.exec_module(tool)
    key = tool.load_pem_public_key((folder / "audit-log.pem").read_bytes())
    findings, summary = tool.verify(folder, key, 0)
    return int(bool(findings)), [*findings, summary]


def test_a_row_changed_with_its_hash_is_found_between_two_checkpoints(copy):
    def forge(lines):
        row = lines[14][len(b'{"hash":"') + 64 + len(b'","row":') : -2]
        row = row.replace(b"searched", b"exported")
        digest = hashlib.sha256(b"\0" + row).hexdigest().encode()
        lines[14] = b'{"hash":"' + digest + b'","row":' + row + b"}\n"

    edit(copy, forge)
    code, said = verify(copy)
    assert code == 1
    assert "of rows 10 to 19 one or more were changed" in said


def test_a_changed_hash_alone_is_told_from_a_changed_row(copy):
    edit(copy, lambda lines: put(lines, 4, lines[4][:9] + b"0" * 64 + lines[4][73:]))
    code, said = verify(copy)
    assert (code, "row 4 is whole, the hash beside it was changed" in said) == (1, True)


def test_a_deleted_row_is_named(copy):
    edit(copy, lambda lines: lines.pop(12))
    code, said = verify(copy)
    assert (code, "row 12 is missing" in said) == (1, True)


def test_a_deleted_page_is_named(copy):
    def drop(lines):
        del lines[5:15]

    edit(copy, drop)
    code, said = verify(copy)
    assert (code, "rows 5 to 14 are missing" in said) == (1, True)


def test_an_inserted_row_is_named(copy):
    edit(copy, lambda lines: lines.insert(9, lines[3].replace(b"searched", b"exported")))
    code, said = verify(copy)
    assert (code, "line 10: row 3 is there a second time" in said) == (1, True)


def test_an_inserted_line_that_is_no_row_is_named(copy):
    edit(copy, lambda lines: lines.insert(9, b"something else\n"))
    code, said = verify(copy)
    assert (code, "line 10 is no row of the log" in said) == (1, True)


def test_a_moved_row_is_named(copy):
    edit(copy, lambda lines: lines.insert(20, lines.pop(11)))
    code, said = verify(copy)
    assert (code, "line 21: row 11 was moved" in said) == (1, True)


def test_two_rows_in_each_others_place_are_named(copy):
    def swap(lines):
        lines[6], lines[7] = lines[7], lines[6]

    edit(copy, swap)
    code, said = verify(copy)
    assert (code, "row 6 was moved" in said) == (1, True)


def test_an_export_cut_short_is_found(copy):
    def cut(lines):
        del lines[21:]

    edit(copy, cut)
    code, said = verify(copy)
    assert (code, "cut short: 23 rows were signed" in said) == (1, True)


def test_an_export_cut_short_with_its_checkpoints_is_found_by_who_knows_how_many(copy):
    def cut(lines):
        del lines[20:]

    edit(copy, cut)
    checkpoints = copy / "checkpoints.jsonl"
    kept = [line for line in checkpoints.read_text().splitlines() if "\\n23\\n" not in line]
    checkpoints.write_text("\n".join(kept) + "\n")
    assert verify(copy)[0] == 0
    code, said = verify(copy, "--at-least", "23")
    assert (code, "at least 23 are known" in said) == (1, True)


def test_a_line_that_was_cut_off_is_named(copy):
    path = events(copy)
    path.write_bytes(path.read_bytes()[:-3])
    code, said = verify(copy)
    assert (code, "line 25 is no row of the log: it is cut off" in said) == (1, True)


@pytest.mark.parametrize("field", ["size", "root", "time", "signature"])
def test_a_changed_checkpoint_is_named(copy, field):
    checkpoints = copy / "checkpoints.jsonl"
    lines = checkpoints.read_text().splitlines()
    note = json.loads(lines[1])["checkpoint"].split("\n")
    place = {"size": 1, "root": 2, "time": 3, "signature": 5}[field]
    old = note[place][-3] if field != "size" else note[1][0]
    note[place] = note[place].replace(old, "7" if old != "7" else "8", 1)
    lines[1] = json.dumps({"checkpoint": "\n".join(note)})
    checkpoints.write_text("\n".join(lines) + "\n")
    code, said = verify(copy)
    assert (code, "checkpoints.jsonl line 2: not signed by this key" in said) == (1, True)


def test_without_a_checkpoint_nothing_is_proved(copy):
    (copy / "checkpoints.jsonl").unlink()
    code, said = verify(copy)
    assert (code, "no checkpoint of this key" in said) == (1, True)


def test_another_key_proves_nothing(copy):
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (copy / "audit-log.pem").write_bytes(pem)
    assert verify(copy)[0] == 1


def test_what_cannot_be_read_is_another_code(copy):
    events(copy).unlink()
    assert verify(copy)[0] == 2


def test_the_tool_depends_on_nothing_of_ours():
    names = set()
    for node in ast.walk(ast.parse(TOOL.read_text())):
        if isinstance(node, ast.Import):
            names |= {one.name.split(".")[0] for one in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}
