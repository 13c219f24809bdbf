"""Requests for phones to sign, and the wait until the signer has finished them."""

import asyncio
import itertools
import time
from collections.abc import Sequence

from sqlalchemy import func, select

from benchmarks.harness.phones import Job
from benchmarks.harness.population import Member
from benchmarks.harness.processes import sample_all
from benchmarks.harness.system import Bench
from deploy.home import REPOSITORY
from grpc_api.clients.signing import FileUpload, NewRequest
from portal_web.cli.connection import System as Connection
from signer_core.signing.model import RequestStatus
from signer_core.storage.engine import make_engine, read_transaction
from signer_core.storage.signer.tables import requests

CONTRACT = REPOSITORY / "examples" / "contract" / "contract.pdf"
_LANES = 4  # callers at once


async def make_requests(
    bench: Bench, members: Sequence[Member], count: int, files: int = 1
) -> list[Job]:
    """Make `count` requests of `files` PDFs, phone after phone; print what one costs."""
    before, begun = sample_all(bench.pids), time.perf_counter()
    pdf = CONTRACT.read_bytes()
    turns = enumerate(itertools.islice(itertools.cycle(members), count))
    jobs: dict[int, Job] = {}
    run = f"{time.time_ns():x}"
    async with Connection(bench.home.root).signing() as signing:

        async def lane() -> None:
            for number, member in turns:
                uploads = [FileUpload(f"contract-{n}.pdf", pdf + b"\n" * n) for n in range(files)]
                wanted = NewRequest(
                    member.person_code,
                    "sandbox-notary",
                    f"benchmark {number}",
                    f"{run}-{number}",
                    uploads,
                    ttl_s=86_400,
                )
                jobs[number] = Job(member, await signing.create_request(wanted))

        await asyncio.gather(*(lane() for _ in range(_LANES)))
    after = sample_all(bench.pids)
    spent = {name: 1000 * (after[name].cpu_s - before[name].cpu_s) / count for name in after}
    print(
        f"made {count} requests of {files} PDF: {1000 * (time.perf_counter() - begun) / count:.1f}"
        f" ms each; CPU signer {spent['signer']:.1f} ms, vault {spent['vault']:.1f} ms"
    )
    return [jobs[number] for number in sorted(jobs)]


async def count_open(bench: Bench) -> int:
    """Return how many requests of the signer are not finished."""
    engine = make_engine(bench.database("signer"))
    open_ones = select(func.count()).where(requests.c.status == RequestStatus.OPEN)
    async with read_transaction(engine) as connection:
        count = (await connection.execute(open_ones)).scalar_one()
    await engine.dispose()
    return count


async def wait_until_finished(bench: Bench, still_open: int, timeout_s: float = 120) -> None:
    """Return when at most `still_open` requests are left: their PDFs are signed and verified."""
    deadline = time.monotonic() + timeout_s
    while await count_open(bench) > still_open:
        if time.monotonic() > deadline:
            raise SystemExit("the signer does not finish its requests: see its log")
        await asyncio.sleep(0.1)
