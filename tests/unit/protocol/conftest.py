"""One enrolled key for all tests of the protocol: enrolment costs 0.1 s."""

import pytest

from tests.fakes.ecdsa2p import Pair, counted_rng, enrol


@pytest.fixture(scope="session")
def pair() -> Pair:
    return enrol(counted_rng(b"enrol device"), counted_rng(b"enrol vault"))
