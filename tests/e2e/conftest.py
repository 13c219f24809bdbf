"""One running system for all tests here: real processes under the real supervisor."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.commands import Caller, DemoPhone
from deploy.home import REPOSITORY, Home
from deploy.system import System, running
from grpc_api.clients.registrar import SandboxPerson

PIN = "58312"


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = Home(tmp_path_factory.mktemp("system"))
    with running(home, lambda _: None) as started:
        yield started


@pytest.fixture(scope="session")
def caller(system: System) -> Caller:
    return Caller(system.home)


@pytest.fixture(scope="session")
def person(caller: Caller) -> SandboxPerson:
    return caller.find_person("approves")


@pytest.fixture(scope="session")
def phone(system: System, caller: Caller, person: SandboxPerson) -> DemoPhone:
    """An enrolled phone."""
    enrolled = DemoPhone(system.home.of("phone"), PIN)
    enrolled.enrol(caller.issue_activation_code(person), system.home.deployment)
    return enrolled


@pytest.fixture
def contract() -> Path:
    return REPOSITORY / "examples/contract/contract.pdf"
