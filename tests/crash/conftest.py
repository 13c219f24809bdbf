"""One system for all crash tests: real processes under the real supervisor, with places to die."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy import supervision
from deploy.demo.commands import Caller
from deploy.home import REPOSITORY, Home
from deploy.system import System, running
from tests.crash.world import CrashWorld
from tests.fixtures.crash_points import HIT


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("control")


@pytest.fixture(scope="session")
def crash_system(tmp_path_factory: pytest.TempPathFactory, control: Path) -> Iterator[System]:
    commands = supervision.COMMANDS | {
        "vault": ("tests.crash.launch", "vault"),
        "signer": ("tests.crash.launch", "signer"),
    }
    # Only while it starts: other systems of the same test run are to have no places to die.
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRASH_FOLDER", str(control))
        patch.setattr(supervision, "COMMANDS", commands)
        # Killed over and over, soon after its start, it is not the process that cannot start: it
        # counts as started at once, so that neither tries nor the pause between them grow.
        program = tmp_path_factory.mktemp("program") / "program.conf.template"
        template = supervision._PROGRAM.read_text()
        assert "startsecs=10" in template
        program.write_text(template.replace("startsecs=10", "startsecs=0"))
        patch.setattr(supervision, "_PROGRAM", program)
        home = Home(tmp_path_factory.mktemp("crash"))
        started = stack.enter_context(running(home, lambda _: None))
        patch.undo()
        yield started


@pytest.fixture
def crash_world(crash_system: System, control: Path) -> Iterator[CrashWorld]:
    person = Caller(crash_system.home).find_person("approves")
    world = CrashWorld(
        crash_system, control, person, REPOSITORY / "tests" / "assets" / "one_page.pdf"
    )
    yield world
    world.disarm()
    if (control / "hit").exists():
        HIT.add((control / "hit").read_text())
        (control / "hit").unlink()
