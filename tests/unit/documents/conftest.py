from pathlib import Path

import pytest

from tests.fakes import handmade
from tests.fakes.citizen import Citizen

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def citizen():
    return Citizen.make()


@pytest.fixture(scope="session")
def page():
    """One page, written by hand."""
    return handmade.one_page()


@pytest.fixture(scope="session")
def contract():
    """The example, made by Typst."""
    return (ROOT / "examples/contract/contract.pdf").read_bytes()


@pytest.fixture(scope="session")
def asset():
    return lambda name: (ROOT / "tests/assets" / name).read_bytes()
