"""A whole system whose vault and signer die where a test says, and phones that use it."""

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import readiness
from deploy.demo.commands import Caller
from deploy.system import System
from grpc_api.clients.registrar import SandboxPerson
from grpc_api.clients.signing import FileUpload, NewRequest, RequestView
from grpc_api.clients.status import RequestStatus
from mobile_share import enrolment
from mobile_share.deployment import Deployment
from mobile_share.errors import PhoneError
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.signing import Outcome, PreparedSignature, fetch_request, prepare
from mobile_share.wire import enrolment_client, signer_client
from portal_web.cli.connection import System as Connection
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import RequestId

PIN = "58312"
WRONG_PIN = "90417"
PHOTO = b"sandbox photo"
_RETRIES, _PAUSE_S = 240, 0.25  # a minute, while a process starts again on a busy machine
_PATIENCE_S = 60  # for a restart on a busy machine
JUDGEMENT_OVER_S = 61  # docs/spec/ecdsa2p.md §3.1.1: 60 s

Ended = SignerError | PhoneError


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class CrashWorld:
    """One running system, one folder that says where to die."""

    system: System
    control: Path
    person: SandboxPerson
    pdf: Path

    # --- dying -----------------------------------------------------------------------------------

    def arm(self, point: str) -> None:
        (self.control / "hit").unlink(missing_ok=True)
        (self.control / "armed").write_text(point)

    def disarm(self) -> None:
        (self.control / "armed").unlink(missing_ok=True)
        (self.control / "ahead-s").unlink(missing_ok=True)

    def turn_clock(self, ahead_s: int) -> None:
        """Turn the databases' clock; judgements are timed by it."""
        (self.control / "ahead-s").write_text(str(ahead_s))

    async def died_at(self, point: str) -> bool:
        """Wait until the point was hit and everything serves again."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (self.control / "hit").exists():
            assert time.monotonic() < deadline, f"nothing died at {point}"
            await asyncio.sleep(0.05)
        assert (self.control / "hit").read_text() == point
        await self.serving()
        return True

    async def serving(self) -> None:
        system = self.system
        await asyncio.sleep(0.3)  # the supervisor has noticed the death by then
        await asyncio.to_thread(
            readiness.wait_until_serving, system.home, system.ports, system.supervisor
        )

    # --- people ----------------------------------------------------------------------------------

    def new_phone(self, folder: Path) -> Phone:
        return Phone(folder, FileKeyStore(folder), Deployment.read(self.system.home.deployment))

    async def code(self) -> str:
        return await asyncio.to_thread(Caller(self.system.home).issue_activation_code, self.person)

    async def enrol(self, phone: Phone, code: str) -> None:
        """Enrol, or take up an enrolment that broke off, as `signer-phone enrol` does."""
        if phone.has_share:
            async with signer_client(phone) as signer:
                begun = await enrolment.resume(phone, signer, PHOTO)
                await enrolment.certify(phone, signer, begun, PIN, now())
            return
        async with enrolment_client(phone.deployment) as client:
            begun = await enrolment.begin(phone, client, code, PHOTO, now())
        async with signer_client(phone) as signer:
            await enrolment.make_shares(phone, signer, begun.grant, PIN)
            await enrolment.certify(phone, signer, begun, PIN, now())

    async def citizen(self, folder: Path) -> Phone:
        phone = self.new_phone(folder)
        await self.enrol_patiently(phone, await self.code())
        return phone

    async def ask_once(self, idempotency_key: str) -> RequestId:
        wish = NewRequest(
            person_code=self.person.person_code,
            relying_party_id="sandbox-notary",
            purpose="Договір",
            idempotency_key=idempotency_key,
            files=(FileUpload("contract.pdf", self.pdf.read_bytes()),),
        )
        async with Connection(self.system.home.root).signing() as signing:
            return await signing.create_request(wish)

    async def request(self, idempotency_key: str = "") -> RequestId:
        """Repeat one wish until it is a request, as a caller does."""
        wish = idempotency_key or secrets.token_hex(16)
        for _ in range(_RETRIES):
            try:
                return await self.ask_once(wish)
            except UnavailableError:
                await asyncio.sleep(_PAUSE_S)
        raise AssertionError("no request")

    async def enrol_patiently(self, phone: Phone, code: str) -> None:
        """Enrol with the same code until it is done, as a person does."""
        for left in reversed(range(_RETRIES)):
            try:
                return await self.enrol(phone, code)
            except (SignerError, PhoneError):
                if not left:
                    raise
            await asyncio.sleep(_PAUSE_S)
        return None

    async def decline(self, phone: Phone, request_id: RequestId) -> None:
        """Decline until the request is over."""
        for _ in range(_RETRIES):
            with suppress(SignerError):
                async with signer_client(phone) as signer:
                    await signer.decline_request(request_id, "не моє")
            with suppress(SignerError):
                if (await self.view(request_id)).status is not RequestStatus.OPEN:
                    return
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("the request stays open")

    async def final_status(self, request_id: RequestId) -> RequestStatus:
        """Return the status once it is another one than open."""
        for _ in range(_RETRIES):
            with suppress(UnavailableError):
                status = (await self.view(request_id)).status
                if status is not RequestStatus.OPEN:
                    return status
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("the request stays open")

    async def still_signs(self, phone: Phone) -> bool:
        """Sign a new request: no copy is suspected, nothing is stuck."""
        request_id = await self.request()
        outcome = await self.sign(phone, request_id)
        assert (outcome.signatures, self.signatures(request_id)) == (1, 1)
        key = self.key(phone)
        assert (key["status"], key["failed"], key["judging_sid"]) == ("active", 0, None)
        return True

    async def view(self, request_id: RequestId) -> RequestView:
        async with Connection(self.system.home.root).signing() as signing:
            return await signing.get(request_id)

    async def signed_pdf(self, request_id: RequestId) -> bytes:
        async with Connection(self.system.home.root).signing() as signing:
            return await signing.signed_document(request_id, 0)

    @asynccontextmanager
    async def prepared(
        self, phone: Phone, request_id: RequestId
    ) -> AsyncIterator[PreparedSignature]:
        async with signer_client(phone) as signer:
            request = await fetch_request(phone, signer, request_id, now())
            async with prepare(phone, signer, request, PHOTO) as session:
                yield session

    async def sign(self, phone: Phone, request_id: RequestId, pin: str = PIN) -> Outcome:
        """Sign; again while the vault is away, which says that nothing was sent."""
        for _ in range(_RETRIES):
            try:
                async with self.prepared(phone, request_id) as session:
                    return await session.sign(pin)
            except UnavailableError:
                await asyncio.sleep(_PAUSE_S)
        raise AssertionError("the vault stays away")

    async def try_to_sign(
        self, phone: Phone, request_id: RequestId, pin: str = PIN
    ) -> Outcome | Ended:
        """Sign once, or return what the phone was told instead."""
        try:
            async with self.prepared(phone, request_id) as session:
                return await session.sign(pin)
        except (SignerError, PhoneError) as error:
            return error

    async def result(self, phone: Phone, request_id: RequestId) -> RequestStatus:
        """Ask for the result until there is one: what a phone does after a lost reply."""
        async with signer_client(phone) as signer:
            for _ in range(_RETRIES):
                with suppress(UnavailableError):
                    status = await signer.get_result(request_id)
                    if status is not RequestStatus.OPEN:
                        return status
                await asyncio.sleep(_PAUSE_S)
        raise AssertionError("no result")

    # --- what is left ----------------------------------------------------------------------------

    def row(self, process: str, table: str, **where: Any) -> dict[str, Any] | None:
        """Return the one row, None if there is none."""
        condition = " AND ".join(f"{column} = :{column}" for column in where)
        database = self.system.home.of(process) / f"{process}.db"
        with closing(sqlite3.connect(database)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"SELECT * FROM {table} WHERE {condition}", where).fetchall()
        assert len(found) <= 1
        return dict(found[0]) if found else None

    def key(self, phone: Phone) -> dict[str, Any]:
        found = self.row("vault", "keys", key_id=phone.shares.load().share.key_id)
        assert found is not None
        return found

    def vault_request(self, request_id: bytes) -> dict[str, Any]:
        found = self.row("vault", "requests", request_id=request_id)
        assert found is not None
        return found

    def signatures(self, request_id: bytes) -> int:
        """Count the signatures of a request that the vault ever recorded."""
        items = self.vault_request(request_id)["items"]
        return len(json.loads(items)) if items else 0

    def requests_of(self, phone: Phone) -> list[bytes]:
        """Return the requests that the signer holds for a phone's key."""
        query = "SELECT request_id FROM requests WHERE key_id = ?"
        key_id = phone.shares.load().share.key_id
        with closing(sqlite3.connect(self.system.home.of("signer") / "signer.db")) as connection:
            return [row[0] for row in connection.execute(query, (key_id,))]

    def events(self, key_id: bytes) -> list[tuple[str, str]]:
        why = "coalesce(nullif(reason, ''), result)"
        query = f"SELECT event, {why} FROM outbox WHERE key_id = ? ORDER BY id"
        with closing(sqlite3.connect(self.system.home.of("vault") / "vault.db")) as connection:
            return connection.execute(query, (key_id,)).fetchall()
