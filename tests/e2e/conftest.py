"""One running system for all tests here: real processes under the real supervisor."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.demo.commands import Caller, DemoPhone
from deploy.home import REPOSITORY, Home
from deploy.system import System, running
from deploy.terminal import ended_by_signals
from grpc_api.clients.registrar import SandboxPerson
from grpc_api.clients.signing import FileUpload, NewRequest, SigningClient
from grpc_api.clients.status import RequestStatus
from portal_web.cli.connection import System as Connection
from signer_core.identifiers import RequestId
from tests.fakes.officer_desk import Desk

T = TypeVar("T")
PIN = "58312"


@dataclass(frozen=True)
class Portal:
    """An internal caller: asks this person for signatures."""

    home: Home
    person: SandboxPerson

    def request(
        self, files: Sequence[bytes], *, visible: bool = False, by: str = "sandbox-notary"
    ) -> str:
        wanted = NewRequest(
            person_code=self.person.person_code,
            relying_party_id=by,
            purpose="e2e",
            idempotency_key=secrets.token_hex(16),
            files=[FileUpload(f"{n}.pdf", file, visible) for n, file in enumerate(files)],
        )
        return self._call(lambda signing: signing.create_request(wanted)).hex()

    def status(self, request_id: str) -> RequestStatus:
        known = RequestId(bytes.fromhex(request_id))
        return self._call(lambda signing: signing.get(known)).status

    def successor(self, request_id: str) -> str:
        known = RequestId(bytes.fromhex(request_id))
        successor = self._call(lambda signing: signing.get(known)).successor
        return successor.hex() if successor else ""

    def signed(self, request_id: str, index: int = 0) -> bytes:
        known = RequestId(bytes.fromhex(request_id))
        return self._call(lambda signing: signing.signed_document(known, index))

    def _call(self, ask: Callable[[SigningClient], Awaitable[T]]) -> T:
        async def call() -> T:
            async with Connection(self.home.root).signing() as signing:
                return await ask(signing)

        return asyncio.run(call())


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    home = Home(tmp_path_factory.mktemp("system"))
    with ended_by_signals(), running(home, lambda _: None) as started:  # a killed run stops it too
        yield started


@pytest.fixture(scope="session")
def portal(system: System) -> Portal:
    return Portal(system.home, Caller(system.home).find_person("approves"))


@pytest.fixture(scope="module")
def phone(request: pytest.FixtureRequest, system: System, portal: Portal) -> DemoPhone:
    """The person's phone, enrolled anew: tests of another file may have given them another one."""
    enrolled = DemoPhone(system.home.of(f"phone-of-{request.module.__name__}"), PIN)
    code = Caller(system.home).issue_activation_code(portal.person)
    enrolled.enrol(code, system.home.deployment)
    return enrolled


@pytest.fixture(scope="session")
def contract() -> bytes:
    return (REPOSITORY / "examples/contract/contract.pdf").read_bytes()


@pytest.fixture
def apart(system: System, tmp_path: Path) -> Path:
    """A folder for a signed PDF taken apart, with the chain it must lead to."""
    public = system.home.public
    chain = (public / "ca-chain.pem").read_bytes() + (public / "root.pem").read_bytes()
    (tmp_path / "chain.pem").write_bytes(chain)
    return tmp_path


@pytest.fixture(scope="session")
def desk(system: System, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The first officer, made beside the running vault."""
    passphrase = tmp_path_factory.mktemp("officer") / "passphrase"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o600)
    made = Desk(system.home.root, passphrase)
    first = made.json("init")
    assert Path(first["key_file"]).stat().st_mode & 0o077 == 0
    return made


@pytest.fixture(scope="session")
def auditor(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Made as people do it: a request handed in, a certificate handed back."""
    folder = tmp_path_factory.mktemp("auditor")
    own = Desk(desk.home, desk.passphrase, folder / "borys.key")
    own.json("officer", "request", "borys", "--to", str(own.key_file))
    request = str(folder / "borys.csr")
    words = ["--request", request, "--role", "auditor", "--reason", "staff-change"]
    desk.json("officer", "add", "borys", *words)
    return own
