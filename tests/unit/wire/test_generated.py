"""grpc_api/gen is what scripts/make_proto.py makes of the protos, and buf accepts them."""

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.make_proto import GEN, ROOT, generate


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.py*")
        if "__pycache__" not in path.parts
    }


def test_regenerating_changes_nothing(tmp_path):
    generate(tmp_path / "gen")
    assert _files(tmp_path / "gen") == _files(GEN), "run scripts/make_proto.py"


def test_buf_finds_nothing_to_say():
    buf = shutil.which("buf", path=str(Path(sys.executable).parent))
    assert buf is not None
    done = subprocess.run([buf, "lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
