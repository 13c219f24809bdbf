"""Logins from the offer to the collected signature, through all processes: where the time goes.

Run: python -m benchmarks.offers [--at-once 8] [--count 240]

A portal's client and the phones run in this process; registrar, vault and signer are real. Argon2id
is worked out before. A login is: make the offer, watch it, claim it, fetch and check, photo check
and steps 1 to 4, the PIN, the news of it at the portal, collect.
"""

import argparse
import asyncio
import hashlib
import os
import secrets
import statistics
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.harness.population import PIN, Member, populate, work_out_factors_first
from benchmarks.harness.processes import load_line, sample_all
from benchmarks.harness.system import KEPT, Bench, serving
from grpc_api.clients.offers import CreatedOffer, NewOffer, OffersClient, OfferStatus
from mobile_share.cli.screen import now_utc
from mobile_share.deployment import Deployment
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.photo import SANDBOX_PHOTO
from mobile_share.ports import SignerClient
from mobile_share.signing import fetch_request, prepare
from mobile_share.wire import signer_client
from portal_web.cli.connection import System as Connection
from signer_core.identifiers import RequestId
from signer_core.protocol.offer_link import OfferLink, qr_code
from signer_core.protocol.request_kind import RequestKind

T = TypeVar("T")
PHONES = 24  # one phone claims 20 offers a minute at most
STATEMENT = "a login of a benchmark"


@dataclass(slots=True)
class Times:
    """Milliseconds of each step."""

    spent: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def of(self, step: str, work: Awaitable[T]) -> T:
        """Wait for some work and note how long it took."""
        begun = time.perf_counter()
        result = await work
        self.spent[step].append((time.perf_counter() - begun) * 1000)
        return result


@dataclass(frozen=True, slots=True)
class Login:
    """What logs in."""

    offers: OffersClient
    phone: Phone
    signer: SignerClient
    times: Times

    async def run(self) -> None:
        """Log in once."""
        begun, times = time.perf_counter(), self.times
        offer = await times.of("make the offer", self.offers.create(_login()))
        news = asyncio.create_task(self._approved(offer))
        request_id = await times.of("claim it", self._claim(offer))
        approved_s = await times.of("fetch, check, sign", self._sign(request_id))
        times.spent["phone's approval to portal"].append((await news - approved_s) * 1000)
        collector = secrets.token_bytes(32)
        await times.of("collect", self.offers.collect(offer.offer_id, collector))
        times.spent["the whole login"].append((time.perf_counter() - begun) * 1000)

    async def _claim(self, offer: CreatedOffer) -> RequestId:
        step_s = int(time.time())
        code = qr_code(offer.link_secret, offer.offer_id, step_s)
        return await self.signer.claim_offer(OfferLink(offer.offer_id, step_s, code))

    async def _sign(self, request_id: RequestId) -> float:
        request = await fetch_request(self.phone, self.signer, request_id, now_utc())
        async with prepare(self.phone, self.signer, request, SANDBOX_PHOTO) as prepared:
            await prepared.sign(PIN)
            return time.perf_counter()

    async def _approved(self, offer: CreatedOffer) -> float:
        async for state in self.offers.watch(offer.offer_id):
            if state.status is OfferStatus.APPROVED:
                break
        return time.perf_counter()


def _login() -> NewOffer:
    return NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.AUTH,
        purpose="Вхід",
        idempotency_key=secrets.token_hex(16),
        challenge=hashlib.sha256(STATEMENT.encode()).digest(),
        statement=STATEMENT,
    )


async def log_in(bench: Bench, members: Sequence[Member], count: int, at_once: int) -> Times:
    """Let phones take turns; `at_once` log in at a time."""
    times, deployment = Times(), Deployment.read(bench.home.deployment)
    async with AsyncExitStack() as stack:
        offers = await stack.enter_async_context(Connection(bench.home.root).offers())
        free: deque[Login] = deque()
        for member in members:
            phone = Phone(member.folder, FileKeyStore(member.folder), deployment)
            signer = await stack.enter_async_context(signer_client(phone))
            await signer.get_status()
            free.append(Login(offers, phone, signer, times))
        left = iter(range(count))

        async def lane() -> None:
            for _ in left:
                login = free.popleft()
                await login.run()
                free.append(login)

        await asyncio.gather(*(lane() for _ in range(at_once)))
    return times


def measure(bench: Bench, count: int, at_once: int) -> None:
    """Log in and print it."""
    members = asyncio.run(populate(bench, PHONES))
    asyncio.run(log_in(bench, members, PHONES, at_once))  # warm-up
    pids = bench.pids | {"phones and portal": os.getpid()}
    before, begun = sample_all(pids), time.perf_counter()
    times = asyncio.run(log_in(bench, members, count, at_once))
    wall_s, after = time.perf_counter() - begun, sample_all(pids)
    cpu = {name: 1000 * (after[name].cpu_s - before[name].cpu_s) / count for name in pids}
    print(f"\n{count} logins, {at_once} at once: {count / wall_s:.1f} a second; {load_line()}")
    print(f"CPU of a login {sum(cpu.values()):.1f} ms:")
    for name, value in cpu.items():
        print(f"    {name:20}{value:7.2f} ms")
    for step, values in times.spent.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"  {step:28} p50 {statistics.median(values):6.0f} ms, p95 {p95:6.0f} ms")


def main() -> None:
    """Read the wishes, start the system, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--count", type=int, default=240)
    wish = parser.parse_args()
    work_out_factors_first(argon2id=False)
    with serving(KEPT / "sqlite") as bench:
        measure(bench, wish.count, wish.at_once)


if __name__ == "__main__":
    main()
