"""The rules of docs/development.md that a linter does not know."""

import ast
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# `except Exception` is right once a process: where an unforeseen error is logged and answered
# "internal error". One file a line, with its reason.
EDGES = {
    "portal_web/login/bridge.py": "hands whatever was raised to the code that waits for it",
    "grpc_api/interceptors/errors.py": "every call of signer, registrar and vault passes here",
}

SETTINGS = {
    "vault": "hsm_module.settings:VaultSettings",
    "signer": "grpc_api.signer:SignerSettings",
    "registrar": "grpc_api.registrar:RegistrarSettings",
    "portal": "portal_web.settings:PortalSettings",
    "worker": "grpc_api.jobs.settings:WorkerSettings",
    "simulator": "mobile_share.simulator.settings:SimulatorSettings",
}


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file() and "gen" not in file.parts]


FILES = _tracked()
SHIPPED = [file for file in FILES if "tests" not in file.parts]


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _lines_with(pattern: str, files: list[Path]) -> list[str]:
    found = []
    for file in files:
        if file == Path(__file__):
            continue  # names the patterns
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{_name(file)}:{number}: {line.strip()}")
    return found


def test_there_are_files_to_check() -> None:
    assert len(FILES) > 50


def test_every_folder_of_a_process_is_a_package() -> None:
    """The import rules see nothing of one that is not."""
    roots = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    folders = {
        file.parent for file in SHIPPED if _name(file).split("/")[0] in roots["root_packages"]
    }
    versions = {folder for folder in folders if folder.name == "versions"}  # Alembic's, by path
    assert [f for f in folders - versions if not (f / "__init__.py").is_file()] == []


def test_no_file_is_longer_than_its_idea() -> None:
    lengths = {_name(file): len(file.read_text().splitlines()) for file in FILES}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{_name(file)}:{function.name}": _length(function)
        for file in FILES
        for function in _functions(file)
        if _length(function) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_every_noqa_has_a_code_and_a_reason() -> None:
    assert _lines_with(r"#\s*noqa(?!: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*\s+\S.{5})", FILES) == []


def test_every_type_ignore_has_a_code_and_a_reason() -> None:
    assert _lines_with(r"#\s*type:\s*ignore(?!\[[a-z, -]+\]\s+# ?\S.{5})", FILES) == []


def test_every_todo_names_its_issue() -> None:
    assert _lines_with(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", FILES) == []


def test_nothing_prints() -> None:
    shipped = [file for file in SHIPPED if "benchmarks" not in file.parts]
    assert _lines_with(r"^\s*print\(", shipped) == []


def test_exceptions_are_caught_by_name_except_at_the_edges() -> None:
    broad = [
        _name(file)
        for file in SHIPPED
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not _raises_again(node)
    ]
    assert sorted(broad) == sorted(EDGES)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize("process", SETTINGS)
def test_the_example_settings_load(process: str) -> None:
    module, model = SETTINGS[process].split(":")
    example = (ROOT / f"deploy/examples/{process}.example.toml").read_text()
    getattr(importlib.import_module(module), model).model_validate(tomllib.loads(example))


def test_every_example_has_a_settings_model() -> None:
    examples = {file.name.split(".")[0] for file in ROOT.glob("deploy/examples/*.example.toml")}
    assert examples == set(SETTINGS)


def test_the_readme_begins_with_the_two_commands() -> None:
    code = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    lines = [line for block in code for line in block.splitlines() if line.strip()]
    assert lines[:2] == ["make demo", "make test"]
