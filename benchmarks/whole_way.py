"""The whole way: three processes, one phone, from the PIN to the verified signature.

Run: python -m benchmarks.whole_way

Wall time. The phone's library runs in this process; registrar, vault and signer are the real
processes under the real supervisor. The CPU of a process is what the kernel says it spent while the
phone waited for step 6. Argon2id, which hides the PIN on the phone, is taken
out and shown beside.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import commit_ms, fsync_ms
from deploy.demo.commands import Caller, DemoPhone
from deploy.home import REPOSITORY, Home
from deploy.system import System, running
from grpc_api.clients.registrar import SandboxPerson
from grpc_api.clients.signing import FileUpload, NewRequest
from mobile_share import session
from mobile_share.cli.context import SANDBOX_PHOTO
from mobile_share.cli.screen import now_utc
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone, open_phone
from mobile_share.ports import SignerClient
from mobile_share.signing import fetch_request, prepare
from mobile_share.wire import signer_client
from portal_web.cli.connection import System as Connection
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigning

SIGNATURES = int(sys.argv[1]) if len(sys.argv) > 1 else 40
WARM_UP = 3
PIN = "58312"
COMMITS = 2  # §3.1.1 and §3.1.5; a third, for the epoch, comes after the signature
ARGON, PENDING, CRYPTO, TRIP, VERIFY, EPOCH, ACK = (
    "argon2id",
    "pending",
    "crypto",
    "trip",
    "verify",
    "epoch",
    "ack",
)
Rounds = defaultdict[str, list[float]]


class Stopwatch:
    """Adds up wall time by name, in milliseconds. Mutable: that is what it is for."""

    def __init__(self) -> None:
        self.spent_ms: defaultdict[str, float] = defaultdict(float)

    def time_sync(self, owner: Any, attribute: str, name: str) -> None:
        """Time every call of a plain function from now on."""
        inner: Callable[..., Any] = getattr(owner, attribute)

        def timed(*args: Any) -> Any:
            begun = time.perf_counter()
            try:
                return inner(*args)
            finally:
                self.spent_ms[name] += (time.perf_counter() - begun) * 1000

        setattr(owner, attribute, timed)

    def time_async(
        self, owner: Any, attribute: str, name: str, pids: Mapping[str, int] | None = None
    ) -> None:
        """Time every call of a coroutine function from now on, and the CPU of these processes."""
        inner: Callable[..., Any] = getattr(owner, attribute)
        watched = pids or {}

        async def timed(*args: Any) -> Any:
            before = {process: cpu_ms(pid) for process, pid in watched.items()}
            begun = time.perf_counter()
            try:
                return await inner(*args)
            finally:
                self.spent_ms[name] += (time.perf_counter() - begun) * 1000
                for process, pid in watched.items():
                    self.spent_ms[f"cpu {process}"] += cpu_ms(pid) - before[process]

        setattr(owner, attribute, timed)


def watch_phone(pids: dict[str, int]) -> Stopwatch:
    watch, steps = Stopwatch(), session.SigningSession
    watch.time_async(session, "derive_factor", ARGON)
    watch.time_sync(steps, "_store_pending", PENDING)
    watch.time_sync(DeviceSigning, "step5_sign", CRYPTO)
    watch.time_async(steps, "_exchange_step5", TRIP, pids)
    watch.time_sync(DeviceSigning, "step7_verify", VERIFY)
    watch.time_sync(steps, "_store_epoch", EPOCH)
    watch.time_async(steps, "_acknowledge", ACK)
    return watch


def cpu_ms(pid: int) -> float:
    """Return the CPU time of a process's living threads so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


async def make_request(home: Home, person: SandboxPerson, pdf: bytes, number: int) -> RequestId:
    files = [FileUpload("contract.pdf", pdf)]
    why = f"benchmark {number}"
    wanted = NewRequest(person.person_code, "sandbox-notary", why, f"{time.time_ns()}", files)
    async with Connection(home.root).signing() as signing:
        return await signing.create_request(wanted)


async def sign_once(
    phone: Phone, signer: SignerClient, request_id: RequestId, watch: Stopwatch
) -> dict[str, float]:
    """Sign one request; return milliseconds by name."""
    request = await fetch_request(phone, signer, request_id, now_utc())
    async with prepare(phone, signer, request, SANDBOX_PHOTO) as prepared:
        await asyncio.sleep(0.05)  # the person reads; the other processes come to rest
        watch.spent_ms.clear()
        begun = time.perf_counter()
        await prepared.sign(PIN)
        total = (time.perf_counter() - begun) * 1000
    spent = dict(watch.spent_ms)
    signature = total - spent[ARGON] - spent[EPOCH] - spent[ACK]
    return spent | {"signature": signature, "total": total}


def enrol(home: Home) -> SandboxPerson:
    caller = Caller(home)
    person = caller.find_person("approves")
    code = caller.issue_activation_code(person)
    DemoPhone(home.of("phone"), PIN).enrol(code, home.deployment)
    return person


async def measure(system: System, person: SandboxPerson) -> Rounds:
    folder = system.home.of("phone")
    pdf = (REPOSITORY / "examples/contract/contract.pdf").read_bytes()
    pids = {one.name: one.pid for one in system.supervisor.find_processes()}
    phone, watch = open_phone(folder, FileKeyStore(folder)), watch_phone(pids)
    rounds: Rounds = defaultdict(list)
    async with signer_client(phone) as signer:
        for number in range(WARM_UP + SIGNATURES):
            request_id = await make_request(system.home, person, pdf, number)
            spent = await sign_once(phone, signer, request_id, watch)
            if number >= WARM_UP:
                for name, value in spent.items():
                    rounds[name].append(value)
    return rounds


def table(rounds: Rounds, commit: float, fsync: float) -> list[tuple[str, float, str]]:
    p50 = {name: statistics.median(values) for name, values in rounds.items()}
    p95 = statistics.quantiles(rounds["signature"], n=20)[-1]
    known = p50["cpu vault"] + p50["cpu signer"] + COMMITS * commit
    phone = p50["signature"] - p50[PENDING] - p50[CRYPTO] - p50[TRIP] - p50[VERIFY]
    return [
        ("PIN to signature, p50", p50["signature"], f"<= 40; p95 {p95:.1f}; without Argon2id"),
        (
            "  phone: session noted",
            p50[PENDING],
            f"durable file, {p50[PENDING] / fsync:.1f} fsyncs",
        ),
        ("  phone: step 5", p50[CRYPTO], "crypto"),
        ("  step 5 to step 6", p50[TRIP], "the phone waits for:"),
        ("    vault", p50["cpu vault"], "CPU: crypto, TLS, gRPC, database"),
        ("    signer", p50["cpu signer"], "CPU: gRPC and its TLS, the relay"),
        ("    commits", COMMITS * commit, f"{COMMITS} of the vault, each at this machine's cost"),
        ("    the rest", p50[TRIP] - known, "network, scheduling, the phone's gRPC and TLS"),
        ("  phone: step 7", p50[VERIFY], "the signature is verified"),
        ("  phone: the rest", phone, "threads, event loop"),
        ("Argon2id beside it", p50[ARGON], "64 MiB, t = 3, p = 4"),
        ("afterwards: epoch stored", p50[EPOCH], "durable file"),
        ("afterwards: acknowledged", p50[ACK], "step 7, third commit of the vault"),
        ("floor: fsync", fsync, "4 KiB on this machine"),
        ("floor: SQLite commit", commit, "one row, WAL, synchronous=FULL"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(dir=REPOSITORY, prefix=".bench-") as folder:
        home = Home(Path(folder))
        with running(home, lambda _: None) as system:
            rounds = asyncio.run(measure(system, enrol(system.home)))
        rows = table(rounds, commit_ms(home.root), fsync_ms(home.root))
    print(f"{SIGNATURES} signatures of one PDF{'':6}{'ms':>9}  of it")
    for name, value, note in rows:
        print(f"{name:28}{value:9.2f}  {note}")


if __name__ == "__main__":
    main()
