"""`signer-phone` as a person types it, against a deployment in this process."""

from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from mobile_share.cli import (
    app,
    context,
    emergency,
    enrol,
    offers,
    pin_entry,
    renew,
    requests,
    running,
    screen,
    sign,
    status,
)
from tests.fakes.citizen import NOW
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_world import CODE

WIDTH = 200  # columns: nothing that is looked for is folded


@pytest.fixture(autouse=True)
def wired(world, tmp_path, monkeypatch):
    @asynccontextmanager
    async def client(_):
        yield world.signer

    for module in (context, enrol):
        monkeypatch.setattr(module, "signer_client", client)
    monkeypatch.setattr(enrol, "enrolment_client", client)
    monkeypatch.setattr(emergency, "emergency_client", client)
    for module in (enrol, offers, pin_entry, renew, requests, running, sign, status):
        monkeypatch.setattr(module, "now_utc", lambda: NOW)
    for console in (screen.out, screen.err):  # made once, as wide as the terminal was then
        monkeypatch.setattr(console, "_width", WIDTH)
    (tmp_path / "deployment.json").write_text(world.deployment.model_dump_json())


@pytest.fixture
def run(tmp_path):
    def invoke(*arguments, home="phone", stdin=""):
        words = ["--home", str(tmp_path / home), *map(str, arguments)]
        result = CliRunner().invoke(app, words, input=stdin)
        assert "Traceback" not in result.output
        assert not result.exception or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture
def enrol_phone(run, tmp_path):
    def invoke(*arguments, stdin=f"{PIN}\n", code=CODE):
        pinned = tmp_path / "deployment.json"
        return run(
            "enrol", code, "--deployment", pinned, "--pin-stdin", "--yes", *arguments, stdin=stdin
        )

    return invoke
