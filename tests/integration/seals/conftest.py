import asyncio
import base64
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

import pytest

from grpc_api.clients.seals import SealClient
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.server import make_internal_server
from grpc_api.signer_seals import SealParts
from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.signer.schema import MIGRATIONS
from tests.fakes import handmade
from tests.fakes.grpc_server import running
from tests.fakes.pki import ADDRESSES
from tests.fakes.seals import FakeTrust, FakeVaultSeals, Pki, now, to_der

CALLERS = {"signer.internal.v1.SealService": ["portal.internal", "worker.internal"]}


class Service:
    """The seal service behind its listener."""

    def __init__(self, made, certificates, engine, stack):
        self.pki, self.engine = made, engine
        self.trust, self.vault = FakeTrust(made), FakeVaultSeals(made)
        self._certificates, self._stack = certificates, stack
        self.address = ""

    async def serve(self, executor):
        parts = SealParts(
            vault=self.vault,
            trust=self.trust,
            issuers=(to_der(self.pki.cas.issuing.certificate),),
            engine=self.engine,
            executor=executor,
            clock=now,
        )
        server = make_internal_server(CALLERS)
        parts.add(server)
        tls = self._certificates.process("signer.internal")
        self.address = await self._stack.enter_async_context(
            running(server, internal_server_credentials(tls))
        )

    async def channel(self, name="portal.internal"):
        tls = self._certificates.process(name)
        return await self._stack.enter_async_context(
            internal_channel(self.address, "signer.internal", tls)
        )

    async def client(self, name="portal.internal"):
        return SealClient(await self.channel(name))


class Responder(BaseHTTPRequestHandler):
    """OCSP over HTTP, for NSS: it asks the address in the certificate."""

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        self._answer(base64.b64decode(unquote(self.path).lstrip("/")))

    def _answer(self, request):
        answer = asyncio.run(self.server.trust.answer_ocsp(request))
        self.send_response(200)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def seal_pki():
    """Certificates whose OCSP responder answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Responder) as server:
        ocsp = f"http://127.0.0.1:{server.server_port}/"
        made = Pki(addresses=dataclasses.replace(ADDRESSES, ocsp=ocsp))
        server.trust = FakeTrust(made)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
async def service(seal_pki, certificates, tmp_path):
    """On SQLite; the repairs have tests on both databases."""
    url = f"sqlite+aiosqlite:///{tmp_path}/signer.db"
    await upgrade(url, MIGRATIONS)
    engine = make_engine(url)
    with ThreadPoolExecutor(1) as executor:
        async with AsyncExitStack() as stack:
            made = Service(seal_pki, certificates, engine, stack)
            await made.serve(executor)
            yield made
    await engine.dispose()


@pytest.fixture(scope="session")
def page():
    return handmade.one_page()
