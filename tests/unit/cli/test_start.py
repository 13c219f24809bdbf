"""What a command loads: it starts in half a second because it loads what it needs, and no more."""

import subprocess
import sys
from typing import ClassVar

import pytest
import typer
from typer.testing import CliRunner

from grpc_api.clients.lazy_commands import LazyGroup

HEAVY = {"limits", "structlog", "pydantic", "sqlalchemy", "pkcs11", "rich", "pyhanko", "httpx"}


@pytest.mark.parametrize(
    ("commands", "may"),
    [
        ("hsm_module.officers.cli, hsm_module.officers.keys", set()),
        ("hsm_module.officers.cli, hsm_module.officers.users", set()),
        ("portal_web.cli, portal_web.cli.requests", set()),
        ("portal_web.cli, portal_web.cli.doctor", {"httpx", "rich"}),  # httpx loads rich
        ("mobile_share.cli, mobile_share.cli.status", {"pydantic", "rich"}),
    ],
)
def test_a_command_loads_nothing_heavy_that_it_does_not_need(commands, may):
    """In a process of its own: here everything is loaded. (Typer loads pydantic as it runs one.)"""
    script = f"import sys, {commands}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(done.stdout.split()) == may


class Places(LazyGroup):
    places: ClassVar = {
        "here": f"{__name__}:here",
        "gone": "no_such_module:app",
        "many": f"{__name__}:many",
    }


def here():
    """Say here."""
    typer.echo("here")


many = typer.Typer()
many.command("one")(here)
many.command("two")(here)


@pytest.fixture
def program():
    app = typer.Typer(cls=Places)

    @app.callback()
    def main():
        """Do nothing."""

    @app.command()
    def own():
        typer.echo("own")

    return lambda *words: CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    ("words", "said"), [("here", "here"), ("own", "own"), ("many two", "here")]
)
def test_a_command_is_loaded_alone(program, words, said):
    done = program(*words.split())
    assert (done.exit_code, done.stdout) == (0, f"{said}\n")


def test_what_cannot_be_loaded_is_named_and_what_is_not_there_is_wrong_usage(program):
    assert isinstance(program("gone").exception, ModuleNotFoundError)
    done = program("hree")
    assert done.exit_code == 2
    assert "Did you mean 'here'" in done.stderr
