"""One enrolled key for all tests of the protocol: enrolment costs 0.1 s."""

import pytest

from tests.fakes.ecdsa2p import Pair, Request, Session, counted_rng, enrol


@pytest.fixture(scope="session")
def pair() -> Pair:
    return enrol(counted_rng(b"enrol device"), counted_rng(b"enrol vault"))


@pytest.fixture
def session(pair):
    def start(request=Request(), seed=b""):  # noqa: B008  frozen
        return Session(pair, request, counted_rng(b"D" + seed), counted_rng(b"V" + seed))

    return start
