"""Generate grpc_api/gen from grpc_api/protos: messages, services and their type stubs.

protoc writes imports from its own root (`signer.vault.v1`); they are rewritten to
`grpc_api.gen.signer.vault.v1`, so that nothing depends on `sys.path`.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "grpc_api" / "protos"
GEN = ROOT / "grpc_api" / "gen"

_FROM_IMPORT = re.compile(r"^from signer\.", re.MULTILINE)
_PLAIN_IMPORT = re.compile(r"^import signer\.([\w.]+)(?: as (\w+))?$", re.MULTILINE)


def generate(target: Path) -> None:
    """Write the generated package into `target`, which must not exist.

    Raises:
        SystemExit: protoc refused a file; it has said why on stderr.
    """
    target.mkdir(parents=True)
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    plugins = shutil.which("protoc-gen-mypy", path=str(Path(sys.executable).parent))
    grpc_plugin = shutil.which("protoc-gen-mypy_grpc", path=str(Path(sys.executable).parent))
    if plugins is None or grpc_plugin is None:
        raise SystemExit("mypy-protobuf is not installed beside this interpreter")
    arguments = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--plugin=protoc-gen-mypy={plugins}",
        f"--plugin=protoc-gen-mypy_grpc={grpc_plugin}",
        *(f"--{kind}={target}" for kind in ("python_out", "grpc_python_out", "mypy_out")),
        f"--mypy_grpc_out={target}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed")
    for path in [*target.rglob("*.py"), *target.rglob("*.pyi")]:
        path.write_text(_rewrite(path.read_text(encoding="utf-8")), encoding="utf-8")
    for folder in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text("", encoding="utf-8")


def _rewrite(text: str) -> str:
    text = _FROM_IMPORT.sub("from grpc_api.gen.signer.", text)
    return _PLAIN_IMPORT.sub(r"import grpc_api.gen.signer.\1 as \2", text)


def main() -> None:
    """Replace grpc_api/gen, or write to another folder for comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=GEN)
    target: Path = parser.parse_args().target
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "gen"
        generate(made)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)


if __name__ == "__main__":
    main()
