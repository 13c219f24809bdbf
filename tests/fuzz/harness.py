"""The run: calls for a number of seconds, then what the processes say for themselves."""

import asyncio
import secrets
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import grpc

from grpc_api.clients.offers import NewOffer
from mobile_share import enrolment
from mobile_share.enrolment import Begun
from mobile_share.errors import PhoneError
from mobile_share.wire import enrolment_client, signer_client
from portal_web.cli.connection import System as Connection
from signer_core.errors import (
    KeyBlockedError,
    KeyHeldError,
    KeySuspendedError,
    RetireShareError,
    SignerError,
)
from signer_core.protocol.offer_link import same_device_code
from signer_core.protocol.request_kind import RequestKind
from tests.crash.world import PHOTO, PIN, CrashWorld, now
from tests.fuzz.channel import any_step, changed_messages
from tests.fuzz.listeners import Target, open_targets
from tests.fuzz.messages import Fuzzer, Pool

TYPED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,  # over 1 MiB: gRPC itself
    grpc.StatusCode.DEADLINE_EXCEEDED,  # a stream that waits for more
    grpc.StatusCode.CANCELLED,
}
_KEY_IS_OVER = (RetireShareError, KeyBlockedError, KeyHeldError, KeySuspendedError)
_CHANNEL_SHARE = 0.3  # of the rounds; a session costs as much as fifty calls
_AT_ONCE = 16  # calls a round
# What grpc.aio's client makes of a server that ends a stream while it is still being written to.
_OWN_CLIENT = "Internal error from Core"


@dataclass
class Findings:
    """What came back. Mutable: it grows."""

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, where: str, answer: str, good: bool, sent: str) -> None:
        self.statuses[where, answer] += 1
        if not good:
            self.bad.append(f"{where}: {answer} {sent[:2000]}")


class Run:
    """One fuzzing run against a running system. Mutable: phones are used up on the way."""

    def __init__(self, world: CrashWorld, folder: Path, seed: int) -> None:
        self.world, self.folder, self.findings = world, folder, Findings()
        self.fuzzer = Fuzzer(Random(seed), Pool())
        self.phones = 0

    async def fuzz(self, seconds: float) -> Findings:
        """Call until the time is over."""
        await self.prepare()
        pids, memory = self.processes(), self.memory_kib()
        deadline = time.monotonic() + seconds
        async with open_targets(self.world.system, self.phone) as targets:
            while time.monotonic() < deadline:
                if self.fuzzer.rng.random() < _CHANNEL_SHARE:
                    await self.session()
                else:
                    some = self.fuzzer.rng.choices(targets, k=_AT_ONCE)
                    await asyncio.gather(*map(self.call, some))
        assert self.processes() == pids, "a process died"
        self.growth_kib = {name: kib - memory[name] for name, kib in self.memory_kib().items()}
        return self.findings

    async def prepare(self) -> None:
        """Enrol a phone, begin another enrolment, open a request; their values fill the pool."""
        world = self.world
        self.phones += 1
        self.phone = await world.citizen(self.folder / f"phone-{self.phones}")
        self.request_id = await world.request(secrets.token_hex(16))
        self.newcomer = world.new_phone(self.folder / f"newcomer-{self.phones}")
        code = await world.code()
        async with enrolment_client(self.newcomer.deployment) as client:
            self.begun: Begun = await enrolment.begin(self.newcomer, client, code, PHOTO, now())
        share = self.phone.shares.load().share
        self.fuzzer.pool.octets += [self.request_id, share.key_id, self.begun.grant.key_id]
        self.fuzzer.pool.octets += [share.device_key_hash, world.pdf.read_bytes()]
        self.fuzzer.pool.texts += [self.begun.grant.authorisation, self.begun.attestation, code]
        self.fuzzer.pool.texts += [world.person.person_code, world.person.person_id]
        self.fuzzer.pool.texts += ["sandbox-notary", "vault-1", "contract.pdf", *RequestKind]
        await self.offer()

    async def offer(self) -> None:
        """Make an offer, so that some messages name it."""
        wanted = NewOffer(
            relying_party_id="sandbox-bank",
            kind=RequestKind.AUTH,
            purpose="fuzz",
            idempotency_key=secrets.token_hex(16),
            challenge=secrets.token_bytes(32),
            same_device=True,
            ttl_s=3600,
        )
        async with Connection(self.world.system.home.root).offers() as offers:
            offer = await offers.create(wanted)
        code = same_device_code(offer.link_secret, offer.offer_id)
        self.fuzzer.pool.octets += [offer.offer_id, code, wanted.challenge]

    async def call(self, target: Target) -> None:
        """Call one method once."""
        count = self.fuzzer.rng.randrange(1, 6) if target.method.client_streaming else 1
        sent = [self.fuzzer.wire(self.fuzzer.message(target.request)) for _ in range(count)]
        status, details = await target.call(sent)
        shown = f"{details!r}, to " + " ".join(one.hex() for one in sent)
        is_ours = details == _OWN_CLIENT  # the server's answer is lost; its log is read at the end
        self.findings.add(target.path, status.name, status in TYPED or is_ours, shown)

    async def session(self) -> None:
        """Run a session of a real phone with one message changed."""
        step = any_step(self.fuzzer.rng)
        enrols = self.fuzzer.rng.random() < 0.4
        where = f"channel, {'enrolment' if enrols else 'signing'}, message {step + 1}"
        answer = "done"
        try:
            with changed_messages(self.fuzzer, step):
                await (self.enrol() if enrols else self.sign())
        except (SignerError, PhoneError) as error:
            answer = getattr(error, "code", type(error).__name__)
            if isinstance(error, _KEY_IS_OVER):
                await self.prepare()
        self.findings.add(where, answer, answer != "internal", "a changed message")
        if answer == "done":  # unchanged in effect: the request or the authorisation is used up
            await self.prepare()

    async def sign(self) -> None:
        async with self.world.prepared(self.phone, self.request_id) as session:
            await session.sign(PIN)

    async def enrol(self) -> None:
        self.newcomer.discard_share()
        async with signer_client(self.newcomer) as signer:
            await enrolment.make_shares(self.newcomer, signer, self.begun.grant, PIN)

    # --- what the processes say ------------------------------------------------------------------

    def processes(self) -> dict[str, int]:
        found = self.world.system.supervisor.find_processes()
        return {process.name: process.pid for process in found}

    def memory_kib(self) -> dict[str, int]:
        """Return what each process holds in memory, in KiB."""
        return {name: _resident_kib(pid) for name, pid in self.processes().items()}

    def complaints(self) -> list[str]:
        """Return the lines of the logs that no caller may be able to cause."""
        bad = ("Traceback", '"unexpected"', '"code": "internal"', "Exception", "judgement-died")
        found = []
        for log in self.world.system.home.logs.glob("*.jsonl"):
            lines = log.read_text(errors="replace").splitlines()
            for at, line in enumerate(lines):
                if any(word in line for word in bad):
                    found.append("\n".join([log.name, *lines[max(at - 2, 0) : at + 20]]))
        return found


def _resident_kib(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
