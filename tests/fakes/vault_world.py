"""A vault with its database, a registrar's key, authorities: what vault tests live in."""

import dataclasses
import secrets
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from hsm_module.authorities import DEVICE, INFRASTRUCTURE, ISSUING, Authorities
from hsm_module.certificates import CertificateOffice
from hsm_module.context import VaultContext
from hsm_module.judgement import Judgement
from hsm_module.keys import Keys
from hsm_module.marks.watermarks import HighWaterMarks
from hsm_module.requests import Requests
from hsm_module.sessions.enrolment import EnrolmentSessions
from hsm_module.sessions.serving import Sessions
from hsm_module.sessions.signing import SigningSessions
from hsm_module.storage.records import Records
from hsm_module.storage.store import MIGRATIONS, Store
from hsm_module.storage.tables import outbox
from hsm_module.token.port import Token
from signer_core.documents.cms import signed_attributes
from signer_core.identifiers import KeyId, RequestId, VaultId
from signer_core.identity.attestation import sign_attestation
from signer_core.identity.authorisation import EnrolmentAuthorisation, sign_authorisation
from signer_core.keys.pin_policy import PinPolicy
from signer_core.pki.authority import Authority, authority_name, issue_authority, issue_root
from signer_core.pki.citizen import Addresses
from signer_core.pki.countries import bundled_country
from signer_core.pki.country import parse_country
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.subject import Subject
from signer_core.ports import RequestRegistration
from signer_core.protocol.curve import Scalar
from signer_core.protocol.ecdsa2p.messages import Item
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import make_pkcs10_info
from signer_core.protocol.transcript import Q
from signer_core.storage.driver import DRIVER
from signer_core.storage.engine import make_engine, upgrade, write_transaction
from tests.fakes.vault_phone import (
    Ask,
    Connection,
    Phone,
    PhoneSigning,
    PhoneTransfer,
    Tamper,
    untouched,
)

VAULT = VaultId("vault-1")
SUBJECT = Subject("Тестова Олена", "Тестова", "Олена", "1234567899", "19900101-00009")


class Clock:
    """One clock for the vault's process and its database; tests turn it."""

    def __init__(self) -> None:
        self.ahead_s = 0

    def unix_time_s(self) -> int:
        return int(time.time()) + self.ahead_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.unix_time_s(), UTC)


def open_database(url: str, clock: Clock) -> AsyncEngine:
    """Open an engine whose SQL clock is `clock`."""
    engine = make_engine(url)

    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def set_clock(connection: Any, _record: Any) -> None:
            connection.create_function("unixepoch", 0, clock.unix_time_s)

    else:

        def turned(sql: str) -> str:
            ahead = f"clock_timestamp() + interval '{clock.ahead_s} s'"
            return sql.replace("clock_timestamp()", ahead)

        @event.listens_for(engine.sync_engine, "before_cursor_execute", retval=True)
        def turn_clock(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> Any:
            return turned(sql), values

        @event.listens_for(engine.sync_engine, "connect")
        def turn_driver(_connection: Any, record: Any) -> None:
            driver = record.info[DRIVER]
            for name in {"fetch", "change", "change_all"} & set(dir(driver)):
                run = getattr(driver, name)
                setattr(driver, name, lambda sql, values, run=run: run(turned(sql), values))

    return engine


async def make_authorities(token: Token, key: ec.EllipticCurvePrivateKey) -> Authorities:
    """Issue a root with `key`, and the authorities with the token's keys."""
    now = datetime.now(UTC)
    name = authority_name("Test Root", "UA", "Test")
    root = issue_root(Issuance(x509.random_serial_number(), now), key, name)

    async def authority(label: Any, kind: Authority) -> x509.Certificate:
        return issue_authority(
            Issuer(root, key),
            Issuance(x509.random_serial_number(), now),
            await token.public_key(label),
            authority_name(f"Test {label}", "UA", "Test"),
            kind,
        )

    return Authorities(
        await authority(ISSUING, Authority.ISSUING),
        await authority(DEVICE, Authority.DEVICE),
        await authority(INFRASTRUCTURE, Authority.INFRASTRUCTURE),
        root,
    )


@dataclass
class VaultProcess:
    """The parts of one vault process; several may share a database."""

    requests: Requests
    keys: Keys
    sessions: Sessions
    judgement: Judgement
    context: VaultContext


class VaultWorld:
    """Everything around one vault database."""

    def __init__(self, token: Token, url: str) -> None:
        self.token = token
        self.url = url
        self.clock = Clock()
        self.registrar_key = ec.generate_private_key(ec.SECP256R1())
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.engines: list[AsyncEngine] = []
        self.marks: list[HighWaterMarks] = []
        self.folder = Path(tempfile.mkdtemp())  # of the vault's host, not of its database

    async def start(self) -> None:
        await upgrade(self.url, MIGRATIONS)
        self.authorities = await make_authorities(self.token, self.root_key)
        self.vault = self.make_process()

    async def stop(self) -> None:
        for engine in self.engines:
            await engine.dispose()
        for marks in self.marks:
            marks.close()
        shutil.rmtree(self.folder)

    def make_process(
        self, name: str = "process-1", ttl_s: float = 30, *, alone: bool = False
    ) -> VaultProcess:
        """Start a vault process on the same token and database."""
        engine = open_database(self.url, self.clock)
        self.engines.append(engine)
        marks = HighWaterMarks(self.folder / "high-water-marks", alone=alone)
        self.marks.append(marks)
        context = VaultContext(
            vault_id=VAULT,
            store=Store(engine, self.token, marks),
            records=Records(self.token),
            registrar_key=self.registrar_key.public_key(),
            policy=PinPolicy(),
            now=self.clock.now,
            rng=secrets.token_bytes,
        )
        office = CertificateOffice(
            self.token,
            self.authorities,
            parse_country(bundled_country("ua")),
            Addresses("http://crl.example/a", "http://ocsp.example/", "http://ca.example/a"),
            self.clock.now,
        )
        judgement = Judgement(context.store, context.records, context.policy, name)
        sessions = Sessions(EnrolmentSessions(context), SigningSessions(context, judgement), ttl_s)
        return VaultProcess(Requests(context), Keys(context, office), sessions, judgement, context)

    # --- the registrar ---------------------------------------------------------------------------

    def authorise(self, phone: Phone, **changes: Any) -> str:
        """Authorise this phone to enrol a new key, or whatever `changes` say instead."""
        now_s = self.clock.unix_time_s()
        authorisation = EnrolmentAuthorisation(
            person_id="person-1",
            key_id=KeyId(secrets.token_bytes(16)),
            device_key_hash=phone.key_hash,
            vault_id=VAULT,
            issued_at_s=now_s,
            expires_at_s=now_s + 900,
            jti=secrets.token_bytes(16),
            country="UA",
            subject=SUBJECT,
        )
        key = changes.pop("key", self.registrar_key)
        authorisation = dataclasses.replace(authorisation, **changes)
        phone.key_id = authorisation.key_id
        phone.authorisation = sign_authorisation(authorisation, key)
        return phone.authorisation

    def attest(self, phone: Phone, request_id: bytes, **changes: Any) -> str:
        return sign_attestation(
            changes.get("device", phone.key_hash),
            RequestId(request_id),
            changes.get("now", self.clock.now()),
            changes.get("key", self.registrar_key),
        )

    # --- phones ----------------------------------------------------------------------------------

    def device_csr(self, phone: Phone) -> bytes:
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(phone.device_key, SHA256()).public_bytes(Encoding.DER)

    def connect(self, phone: Phone, vault: VaultProcess | None = None) -> Connection:
        return Connection((vault or self.vault).sessions, phone.certificate)

    async def prepare(self, phone: Phone | None = None, **changes: Any) -> Phone:
        """Return a phone with an authorisation and a device certificate."""
        phone = phone or Phone()
        authorisation = self.authorise(phone, **changes)
        csr = self.device_csr(phone)
        issued = await self.vault.keys.issue_device_certificate(authorisation, csr)
        phone.certificate = issued.certificate
        return phone

    async def enrol(self) -> Phone:
        """Return a phone whose key is active and not certified."""
        phone = await self.prepare()
        await phone.enrol(self.connect(phone))
        return phone

    def own_ask(self, phone: Phone) -> Ask:
        """What a new key signs first: its own PKCS#10."""
        hashed = request_hash("certificate", phone.authorisation, "", (), "", phone.key_id)
        items = (Item("pkcs10", make_pkcs10_info(phone.share.public_key)),)
        return Ask(phone.key_id, hashed, items, self.attest(phone, phone.key_id))

    async def citizen(self) -> Phone:
        """Return a phone with a certified key."""
        phone = await self.enrol()
        await PhoneSigning(phone, self.connect(phone), self.own_ask(phone)).run()
        await self.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        return phone

    # --- requests --------------------------------------------------------------------------------

    def registration(self, phone: Phone, files: int = 1, **changes: Any) -> RequestRegistration:
        registration = RequestRegistration(
            request_id=RequestId(secrets.token_bytes(16)),
            key_id=phone.key_id,
            kind="documentSigning",
            request_hash=secrets.token_bytes(32),
            file_hashes=tuple(secrets.token_bytes(32) for _ in range(files)),
            expires_at_s=self.clock.unix_time_s() + 30 * 24 * 3600,
        )
        return dataclasses.replace(registration, **changes)

    async def ask_for(self, phone: Phone, registration: RequestRegistration) -> Ask:
        chain = await self.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
        items = tuple(
            Item("cms", signed_attributes(file_hash, chain.certificate))
            for file_hash in registration.file_hashes
        )
        attestation = self.attest(phone, registration.request_id)
        return Ask(registration.request_id, registration.request_hash, items, attestation)

    async def request(self, phone: Phone, files: int = 1) -> Ask:
        """Register a request; return what an honest phone asks for it."""
        registration = self.registration(phone, files)
        await self.vault.requests.register(registration)
        return await self.ask_for(phone, registration)

    def signing(self, phone: Phone, ask: Ask, vault: VaultProcess | None = None) -> PhoneSigning:
        """Begin a session about `ask`, with a photo check made now."""
        about = ask.request_id or phone.key_id
        ask = dataclasses.replace(ask, attestation=self.attest(phone, about))
        return PhoneSigning(phone, self.connect(phone, vault), ask)

    async def refresh(self, phone: Phone, vault: VaultProcess | None = None) -> Phone:
        """Make new shares; return the phone that has them. The old ones stay in `phone`."""
        return await PhoneTransfer(await self.proved(phone, vault)).run()

    async def proved(
        self, phone: Phone, vault: VaultProcess | None = None, use: str = "refresh"
    ) -> PhoneSigning:
        """Return a session that has proved the PIN, before row 2 of its transfer."""
        session = self.signing(phone, self.empty_ask(phone, use), vault)
        await session.run()
        return session

    def empty_ask(self, phone: Phone, use: str) -> Ask:
        """What a phone asks that wants nothing signed."""
        return Ask(b"", b"", (), self.attest(phone, phone.key_id), use)

    async def confirm(self, phone: Phone) -> None:
        """Use the newest generation at once, to sign nothing."""
        await self.signing(phone, self.empty_ask(phone, "sign")).run()

    async def try_wrong_pin(self, phone: Phone, ask: Ask, tamper: Tamper = untouched) -> None:
        """Run a session with an x2 that a wrong PIN unmasks; raises the vault's answer."""
        session = self.signing(phone, ask)
        await session.to_openings(tamper)
        await session.sign(Scalar((phone.x2 + 1) % Q), tamper)

    # --- the database ----------------------------------------------------------------------------

    async def row(self, table: str, **where: Any) -> dict[str, Any]:
        """Return the one row of a table, unchecked."""
        condition = " AND ".join(f"{column} = :{column}" for column in where) or "1 = 1"
        query = text(f"SELECT * FROM {table} WHERE {condition}")
        async with self.engines[0].connect() as connection:
            return dict((await connection.execute(query, where)).mappings().one())

    async def edit(self, table: str, changes: dict[str, Any], **where: Any) -> None:
        """Change a row behind the vault's back, its foreign keys included."""
        sets = ", ".join(f"{column} = :new_{column}" for column in changes)
        condition = " AND ".join(f"{column} = :{column}" for column in where)
        values = {f"new_{column}": value for column, value in changes.items()} | where
        statement = f"UPDATE {table} SET {sets} WHERE {condition}"
        if self.engines[0].dialect.name == "sqlite":  # a connection of our own checks no keys
            with closing(sqlite3.connect(str(self.engines[0].url.database))) as own:
                assert own.execute(statement, values).rowcount == 1
                own.commit()
            return
        async with write_transaction(self.engines[0]) as connection:
            await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            assert (await connection.execute(text(statement), values)).rowcount == 1

    async def events(self, phone: Phone) -> list[tuple[str, str]]:
        """Return the key's events in order, each with its reason, or its result if it has none."""
        why = func.coalesce(func.nullif(outbox.c.reason, ""), outbox.c.result)
        query = select(outbox.c.event, why).where(outbox.c.key_id == phone.key_id)
        async with self.engines[0].connect() as connection:
            return [(e, r) for e, r in await connection.execute(query.order_by(outbox.c.id))]
