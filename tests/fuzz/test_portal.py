"""Every route of provider and partner API, with what its description allows and what not."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes.login_portal import AUTH, make_portal

EXAMPLES = 12  # a route


class Site:
    """The portal of the attack tests over HTTP, in a thread with a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._url = f"sqlite+aiosqlite:///{folder}/signer.db"
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        await upgrade(self._url, MIGRATIONS)
        engine = make_engine(self._url)
        app = make_portal(engine).app
        self.description = app._app.openapi()
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._server.install_signal_handlers = lambda: None
        self._ready.set()
        await self._server.serve([self._socket])
        await engine.dispose()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.stop()


def test_no_route_answers_with_an_error_of_ours(site: Site) -> None:
    """A 500 is a defect; so is an answer without the guarding headers."""
    schema = schemathesis.openapi.from_dict(site.description)
    operations = [one.ok() for one in schema.get_all_operations()]
    paths = {one.path for one in operations}
    assert {"/oauth/par", "/oauth/authorize", "/oauth/token", "/login/continue"} <= paths
    assert {"/partner/v1/offers", "/partner/v1/offers/{offer_id}", "/sign/{ticket}"} <= paths
    for operation in operations:
        for mode in GenerationMode:
            _call(operation, mode, site.address)


def _call(operation: object, mode: GenerationMode, address: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        if case.path.endswith("/events"):
            return  # a stream without an end
        answer = case.call(base_url=address, auth=AUTH, allow_redirects=False, timeout=20)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        assert "content-security-policy" in answer.headers

    with suppress(Unsatisfiable):  # nothing about this route can be made wrong
        call()
