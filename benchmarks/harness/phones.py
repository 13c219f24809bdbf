"""Phones at work, in processes of their own: each job is one request of one phone."""

import asyncio
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.harness.population import PIN, Member, work_out_factors_first
from mobile_share.cli.context import SANDBOX_PHOTO
from mobile_share.cli.screen import now_utc
from mobile_share.deployment import Deployment
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.signing import PreparedSignature, fetch_request, prepare
from mobile_share.wire import signer_client
from signer_core.errors import SignerError
from signer_core.identifiers import RequestId


@dataclass(frozen=True, slots=True)
class Job:
    """One request that one phone is to sign."""

    member: Member
    request_id: RequestId


@dataclass(slots=True)
class Done:
    """What came of the jobs of one process."""

    total_ms: list[float] = field(default_factory=list)  # from opening the request to the signature
    pin_ms: list[float] = field(default_factory=list)  # from the PIN to the signature
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process of phones does. `at_once` 0: all of them wait at the PIN prompt."""

    deployment: Path
    jobs: Sequence[Job]
    at_once: int
    argon2id: bool = False


class PhoneProcess:
    """A process of phones that waits for orders. Mutable: it owns the process."""

    def __init__(self, plan: Plan) -> None:
        spawn = multiprocessing.get_context("spawn")  # gRPC does not survive a fork
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_main, args=(plan, theirs), daemon=True)
        self._process.start()
        self.wait()  # for "ready"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def order(self, what: object) -> None:
        """Give the word; the answer comes by `wait`."""
        self._pipe.send(what)

    def wait(self) -> Any:
        """Return what the process says next."""
        try:
            return self._pipe.recv()
        except EOFError:
            raise SystemExit("a process of phones has died: see above") from None

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join()


@contextmanager
def phone_processes(plans: Sequence[Plan]) -> Iterator[list[PhoneProcess]]:
    """Start a process for each plan; all are connected and ready inside the block."""
    processes: list[PhoneProcess] = []
    try:
        processes += [PhoneProcess(plan) for plan in plans]
        yield processes
    finally:
        for process in processes:
            process.stop()


def split(jobs: Sequence[Job], parts: int) -> list[list[Job]]:
    """Deal jobs out so that all jobs of one phone are in one part."""
    dealt: list[list[Job]] = [[] for _ in range(parts)]
    for job in jobs:
        dealt[int(job.member.folder.name) % parts].append(job)
    return dealt


def _main(plan: Plan, orders: Connection) -> None:
    work_out_factors_first(argon2id=plan.argon2id)
    run = _wait_at_the_prompt if plan.at_once == 0 else _sign_in_turn
    asyncio.run(run(plan, orders))


@dataclass(slots=True)
class _Phones:
    """The phones of one process, connected."""

    deployment: Deployment
    stack: AsyncExitStack
    clients: dict[Path, tuple[Phone, SignerClient]] = field(default_factory=dict)

    async def of(self, member: Member) -> tuple[Phone, SignerClient]:
        """Return a phone and its connection, which stays open: the app is open too."""
        if member.folder not in self.clients:
            phone = Phone(member.folder, FileKeyStore(member.folder), self.deployment)
            client = await self.stack.enter_async_context(signer_client(phone))
            await client.get_status()
            self.clients[member.folder] = phone, client
        return self.clients[member.folder]


async def _sign_in_turn(plan: Plan, orders: Connection) -> None:
    """`at_once` phones sign at a time, one job after another; answers with `Done`."""
    async with AsyncExitStack() as stack:
        phones = _Phones(Deployment.read(plan.deployment), stack)
        for job in plan.jobs:
            await phones.of(job.member)
        orders.send("ready")
        await asyncio.to_thread(orders.recv)
        left, done = deque(plan.jobs), Done()

        async def one_after_another() -> None:
            while left:
                job = left.popleft()
                await _noting(done, _sign(done, phones, job))

        await asyncio.gather(*(one_after_another() for _ in range(plan.at_once)))
        orders.send(done)
        await asyncio.to_thread(orders.recv)


async def _noting(done: Done, work: Awaitable[None]) -> None:
    try:
        await work
    except SignerError as error:
        done.failures.append(f"{error.code}: {error}")


async def _sign(done: Done, phones: _Phones, job: Job) -> None:
    phone, client = await phones.of(job.member)
    begun = time.perf_counter()
    request = await fetch_request(phone, client, job.request_id, now_utc())
    async with prepare(phone, client, request, SANDBOX_PHOTO) as prepared:
        await _enter_pin(done, prepared)
    done.total_ms.append((time.perf_counter() - begun) * 1000)


async def _enter_pin(done: Done, prepared: PreparedSignature) -> None:
    begun = time.perf_counter()
    await prepared.sign(PIN)
    done.pin_ms.append((time.perf_counter() - begun) * 1000)


async def _wait_at_the_prompt(plan: Plan, orders: Connection) -> None:
    """All phones run steps 1 to 4 and wait; each order is a number of phones that sign at once."""
    async with AsyncExitStack() as stack:
        phones = _Phones(Deployment.read(plan.deployment), stack)
        orders.send("ready")
        await asyncio.to_thread(orders.recv)
        done = Done()
        waiting: list[PreparedSignature] = []
        gate = asyncio.Semaphore(4)  # people open their app one after another

        async def open_app(job: Job) -> None:
            async with gate:
                phone, client = await phones.of(job.member)
                request = await fetch_request(phone, client, job.request_id, now_utc())
                opened = prepare(phone, client, request, SANDBOX_PHOTO)
                waiting.append(await stack.enter_async_context(opened))

        tasks = [_noting(done, open_app(job)) for job in plan.jobs]
        await asyncio.gather(*tasks)
        orders.send((len(waiting), done))
        while count := await asyncio.to_thread(orders.recv):
            done = Done()
            now, waiting = waiting[:count], waiting[count:]
            signing = [_noting(done, _enter_pin(done, one)) for one in now]
            await asyncio.gather(*signing)
            orders.send(done)
        os._exit(0)  # the rest hangs up
