"""A system of its own: what a fuzzer does to it concerns nobody else."""

from collections.abc import Iterator

import pytest

from deploy.demo.commands import Caller
from deploy.home import REPOSITORY, Home
from deploy.system import running
from tests.crash.world import CrashWorld


@pytest.fixture(scope="module")
def fuzz_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashWorld]:
    with running(Home(tmp_path_factory.mktemp("fuzz")), lambda _: None) as system:
        person = Caller(system.home).find_person("approves")
        pdf = REPOSITORY / "tests" / "assets" / "one_page.pdf"
        yield CrashWorld(system, tmp_path_factory.mktemp("control"), person, pdf)
