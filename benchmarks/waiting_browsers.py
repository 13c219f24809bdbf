"""Two thousand browsers that wait at the sign-in page; then some of their offers end.

Run: python -m benchmarks.waiting_browsers [--browsers 2000] [--ends 200]

Real signer, real routes, an offer a browser; every browser gets its code of each second. An offer
is ended by withdrawing it, which goes the way of an approval: the signer's database, its notice to
the watch, the portal, the browser, and the page that the browser then loads. "Moving on" is from
the signer's answer until that page is there. Memory is that of the portal's process alone.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.harness.processes import load_line, sample, sample_all
from deploy.home import Home
from deploy.system import running
from grpc_api.clients.offers import NewOffer, OffersClient
from grpc_api.credentials import address_of_any, internal_channel
from grpc_api.settings import load_settings
from portal_web.settings import PortalSettings
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import short
from signer_core.protocol.request_kind import RequestKind

SETTLE_S = 15  # seconds of quiet waiting that are measured
LIMIT_MIB = 600
LIMIT_MS = 300
MAKERS = 8
PAUSE_S = 0.05  # between two ends


@dataclass(slots=True)
class Browser:
    """One waiting page. Mutable: it counts what it is told."""

    port: int
    offer_id: OfferId
    codes: int = 0
    moved_on: asyncio.Future[float] = field(default_factory=asyncio.Future)

    async def wait(self) -> None:
        """Wait until the offer is over, then load the page anew."""
        while not await self._hear():  # as the page's script does when it is told to come back
            await asyncio.sleep(random.uniform(3, 7))
        reader, writer = await self._get("")
        assert b" 200 " in await reader.readline()
        self.moved_on.set_result(time.perf_counter())
        writer.close()

    async def _hear(self) -> bool:
        reader, writer = await self._get("/events")
        try:
            status = await reader.readline()
            if b" 503 " in status:
                return False
            assert b" 200 " in status, status
            async for line in reader:
                if line == b"event: code\n":
                    self.codes += 1
                elif b"withdrawn" in line:
                    break
        finally:
            writer.close()
        return True

    async def _get(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=4096)
        line = f"GET /sign-in/{short(self.offer_id)}{path} HTTP/1.1"
        writer.write(f"{line}\r\nHost: portal\r\n\r\n".encode())
        return reader, writer


@contextmanager
def portal(settings: Path) -> Iterator[tuple[int, int]]:
    """Start the portal; its process id and port."""
    command = [sys.executable, "-m", "benchmarks.harness.waiting_portal", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


async def make_offers(offers: OffersClient, count: int) -> list[OfferId]:
    """Make an offer a browser."""
    keys = iter(range(count))

    async def some() -> list[OfferId]:
        return [(await offers.create(_offer(key))).offer_id for key in keys]

    return [one for part in await asyncio.gather(*(some() for _ in range(MAKERS))) for one in part]


def _offer(key: int) -> NewOffer:
    name = f"bench-{time.time_ns()}-{key}"
    return NewOffer("sandbox-bank", RequestKind.AUTH, "Вхід", name, challenge=bytes(32), ttl_s=3600)


async def measure(
    settings: PortalSettings, pids: Mapping[str, int], port: int, count: int, ends: int
) -> None:
    """Let them wait, end some, print."""
    print(f"{load_line()}\nportal before: {sample(pids['portal']).rss_mib:.0f} MiB")
    address = address_of_any(settings.signer_addresses)
    async with internal_channel(address, "signer.internal", settings.tls) as channel:
        offers = OffersClient(channel)
        browsers = [Browser(port, one) for one in await make_offers(offers, count)]
        begun = time.perf_counter()
        waiting = [asyncio.create_task(one.wait()) for one in browsers]
        while not all(one.codes for one in browsers):
            for task in waiting:
                assert not task.done(), f"a browser was sent away: {task.exception()!r}"
            await asyncio.sleep(0.1)
        print(f"{count} browsers have their first code after {time.perf_counter() - begun:.1f} s")
        await _wait_quietly(browsers, pids)
        took_ms = sorted([await _end(offers, one) for one in browsers[:ends]])
        rank = int(0.95 * len(took_ms))
        print(
            f"moving on: p50 {took_ms[len(took_ms) // 2]:.0f} ms, "
            f"p95 {took_ms[rank]:.0f} ms (target < {LIMIT_MS}), max {took_ms[-1]:.0f} ms"
        )
        for task in waiting:
            task.cancel()


async def _wait_quietly(browsers: list[Browser], pids: Mapping[str, int]) -> None:
    before, codes = sample_all(pids), sum(one.codes for one in browsers)
    begun = time.perf_counter()
    await asyncio.sleep(SETTLE_S)
    spent_s, now = time.perf_counter() - begun, sample_all(pids)
    rate = (sum(one.codes for one in browsers) - codes) / spent_s / len(browsers)
    print(f"waiting: {rate:.2f} codes a second each; memory of the portal < {LIMIT_MIB} MiB is aim")
    for name, one in now.items():
        cpu = (one.cpu_s - before[name].cpu_s) / spent_s
        print(f"  {name}: {one.rss_mib:.0f} MiB, {one.files} handles, {cpu:.2f} of a core")


async def _end(offers: OffersClient, browser: Browser) -> float:
    await offers.withdraw(browser.offer_id)
    begun = time.perf_counter()
    took_s = await browser.moved_on - begun
    await asyncio.sleep(PAUSE_S)
    return 1000 * max(0.0, took_s)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=2000)
    parser.add_argument("--ends", type=int, default=200)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Home(Path(folder)), lambda _: None) as system,
        portal(system.home.settings("portal")) as (pid, port),
    ):
        settings = load_settings(PortalSettings, system.home.settings("portal"))
        pids = {one.name: one.pid for one in system.supervisor.find_processes()}
        watched = {"portal": pid, "signer": pids["signer"]}
        uvloop.run(measure(settings, watched, port, given.browsers, given.ends))


if __name__ == "__main__":
    main()
