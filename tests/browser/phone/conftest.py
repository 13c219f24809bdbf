"""A browser phone of its own server for each test."""

from contextlib import asynccontextmanager

import pytest

from mobile_share.simulator.web.application import make_application
from tests.fakes.browser_phone import around  # noqa: F401  a fixture
from tests.fakes.browsing import PHONE, listening
from tests.fakes.phone_fixtures import cheap_argon2, world  # noqa: F401  fixtures
from tests.fakes.phone_hand import Hand, free_port


@pytest.fixture
def phone_in(visit, around):  # noqa: F811  the fixture above
    """`async with phone_in(width=360) as hand`: a window on a phone of its own server."""

    @asynccontextmanager
    async def open_window(width=PHONE, **options):
        port = free_port()
        application = make_application(around, port)
        async with listening(application, port), visit(width=width, **options) as one:
            yield Hand(one, f"http://localhost:{port}")

    return open_window
