"""Logins at partners: the provider's endpoints, and whole logins with phones.

Run: python -m benchmarks.login [--logins 200] [--requests 1500] [--at-once 8]

Real processes on SQLite. A whole login is the browser's way (authorize, page, back, code), the
phone's (open the link, check, photo check, PIN, protocol, signature) and the partner's (token);
Argon2id is worked out before, as `benchmarks.load` does. Codes for the rate of the token endpoint
are written into the signer's database, for each would cost a phone's signature.
"""

import argparse
import asyncio
import json
import multiprocessing
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlencode

from benchmarks.harness.logins import Plan, log_in_all
from benchmarks.harness.logins_http import (
    BACK,
    CHALLENGE,
    VERIFIER,
    authorization,
    get,
    post,
    send_all,
)
from benchmarks.harness.population import populate, work_out_factors_first
from benchmarks.harness.processes import Sample, load_line, sample_all
from benchmarks.harness.system import KEPT, Bench, serving
from deploy import supervision
from grpc_api.clients.partners import NewSandboxPartner, PartnersClient
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings
from portal_web.cli.connection import System as Connection
from signer_core.login.logins import hash_of
from signer_core.login.model import Login
from signer_core.storage.engine import make_engine
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.logins import LoginRows

PHONES = 48
EMPTY = """
import socket, sys
from fastapi import FastAPI
from portal_web.__main__ import http_server, listen
import uvloop
app = FastAPI(openapi_url=None)
@app.get("/")
async def empty(): return {}
uvloop.run(http_server(app).serve([listen(sys.argv[1])]))
"""


async def partner_of(bench: Bench) -> tuple[str, str]:
    """Return id and secret of a partner of the sandbox, made once."""
    kept = bench.home.root / "bench-partner.json"
    if not kept.exists():
        tls = bench.home.tls("portal")
        files = TlsSettings(cert=tls / "cert.pem", key=tls / "key.pem", ca=tls / "ca.pem")
        ports = json.loads(bench.home.ports.read_text())
        address = f"127.0.0.1:{ports['internal']}"
        async with internal_channel(address, "signer.internal", files) as channel:
            new = NewSandboxPartner("Bench", [BACK])
            made = await PartnersClient(channel).create_sandbox(new)
        kept.write_text(json.dumps([made.partner_id, made.secret]))
    partner_id, secret = json.loads(kept.read_text())
    return partner_id, secret


async def make_codes(bench: Bench, client_id: str, count: int) -> list[str]:
    """Write codes that can be redeemed."""
    engine, codes = make_engine(bench.database("signer")), []
    rows = LoginRows(engine, AuditOutbox(engine, lambda: datetime.now(UTC)))
    now_s = int(time.time())
    signature = json.dumps({"statement": "s" * 300, "cades": "c" * 4000, "certificates": []})
    for _ in range(count):
        codes.append(secrets.token_urlsafe(32))
        login = Login(
            secrets.token_bytes(16),
            client_id,
            BACK,
            "openid profile",
            "nonce",
            CHALLENGE,
            now_s,
            json.dumps({"sub": "s" * 43, "name": "n" * 20}),
            signature,
        )
        await rows.add(login, hash_of(codes[-1]), now_s + 600, now_s + 900)
    await engine.dispose()
    return codes


@contextmanager
def empty_site(port: int) -> Iterator[tuple[str, int]]:
    """Serve a FastAPI route that does nothing, by the portal's own server."""
    site = subprocess.Popen([sys.executable, "-c", EMPTY, f"127.0.0.1:{port}"])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", site.pid
    finally:
        site.terminate()
        site.wait()


def measure_endpoints(bench: Bench, issuer: str, partner: tuple[str, str], count: int) -> None:
    """Print requests a second of each endpoint."""
    client_id, secret = partner
    asked = authorization(client_id)
    codes = asyncio.run(make_codes(bench, client_id, count // 3))
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    loads = {
        "par": ([post("/oauth/par", asked, client_id, secret)] * count, 201, 150),
        "authorize": ([get(f"/oauth/authorize?{urlencode(asked)}")] * count, 303, 150),
        "token": (
            [post("/oauth/token", form | {"code": code}, client_id, secret) for code in codes],
            200,
            120,
        ),
    }
    print(f"\nendpoints, 16 connections; {load_line()}")
    for name, (requests, status, target) in loads.items():
        before = sample_all(bench.pids)
        rate = asyncio.run(send_all(issuer, requests, status))
        print(f"  {name:10}{rate:8.0f} a second; target >= {target}{_cpu(bench, before, requests)}")
    _compare_jwks(bench, issuer, 2 * count)


def _compare_jwks(bench: Bench, issuer: str, count: int) -> None:
    """Print both rates, turn by turn: the load of others shifts."""
    rates: dict[str, list[float]] = {"jwks": [], "empty": []}
    with empty_site(7999) as (address, pid):
        pids = {"jwks": bench.pids["portal"], "empty": pid}
        before = sample_all(pids)
        for _ in range(3):
            for name, where, path in (("jwks", issuer, "/oauth/jwks"), ("empty", address, "/")):
                rates[name].append(asyncio.run(send_all(where, [get(path)] * count, 200)))
        after = sample_all(pids)
    cpu = {name: 1e6 * (after[name].cpu_s - before[name].cpu_s) / (3 * count) for name in pids}
    jwks, empty = (statistics.median(rates[name]) for name in ("jwks", "empty"))
    print(f"  jwks      {jwks:8.0f} a second; an empty route {empty:.0f}; target >= half of it")
    print(
        f"            CPU {cpu['jwks']:.0f} us and {cpu['empty']:.0f} us: by that"
        f" {cpu['empty'] / cpu['jwks']:.2f} of the rate"
    )


def _cpu(bench: Bench, before: dict[str, Sample], requests: list[bytes]) -> str:
    after = sample_all(bench.pids)
    spent = {
        name: 1000 * (after[name].cpu_s - before[name].cpu_s) / len(requests) for name in after
    }
    return "; CPU ms " + ", ".join(f"{name} {ms:.1f}" for name, ms in spent.items() if ms >= 0.05)


def measure_logins(
    bench: Bench, issuer: str, partner: tuple[str, str], wish: argparse.Namespace
) -> None:
    """Print whole logins a second, and where the time goes."""
    members = asyncio.run(populate(bench, PHONES))
    halves = members[::2], members[1::2]
    plans = [
        Plan(bench.home.deployment, issuer, *partner, half, wish.logins // 2, wish.at_once // 2)
        for half in halves
    ]
    spawn, sides = multiprocessing.get_context("spawn"), []
    for plan in plans:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=log_in_all, args=(plan, theirs), daemon=True)
        process.start()
        sides.append((process, ours))
    for _, pipe in sides:
        pipe.recv()
    pids = bench.pids | {f"people {n}": one.pid for n, (one, _) in enumerate(sides)}
    before, begun = sample_all(pids), time.perf_counter()
    for _, pipe in sides:
        pipe.send("go")
    parts = [pipe.recv() for _, pipe in sides]
    wall_s, after = time.perf_counter() - begun, sample_all(pids)
    _report(wish, parts, wall_s, {n: after[n].cpu_s - before[n].cpu_s for n in pids})
    for process, _ in sides:
        process.join()


def _report(
    wish: argparse.Namespace,
    parts: list[dict[str, list[float]]],
    wall_s: float,
    cpu_s: dict[str, float],
) -> None:
    count = sum(len(part["whole login"]) for part in parts)
    print(f"\n{count} whole logins, {wish.at_once} at once; {load_line()}")
    print(f"  {count / wall_s:.1f} a second; target >= 12, aim 25")
    total = sum(cpu_s.values())
    print(
        f"  CPU of a login {1000 * total / count:.1f} ms: two cores of our own carry"
        f" {2 * count / total:.0f} a second; we had {total / wall_s:.2f} cores"
    )
    for name, spent in cpu_s.items():
        print(f"    {name:12}{1000 * spent / count:8.1f} ms {100 * spent / total:5.0f} %")
    print("  where a person's time goes, ms: median, 99th of 100")
    for step in parts[0]:
        values = [one for part in parts for one in part[step]]
        p99 = statistics.quantiles(values, n=100)[-1]
        print(f"    {step:26}{statistics.median(values):8.1f}{p99:8.1f}")


def main() -> None:
    """Read the wishes, start the system, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=200)
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--at-once", type=int, default=8)
    wish = parser.parse_args()
    work_out_factors_first(argon2id=False)
    with serving(KEPT / "login") as bench:
        for one in supervision.connect(bench.home).find_processes():
            if one.name == "portal":
                bench.pids["portal"] = one.pid
        issuer = Connection(bench.home.root).portal()
        partner = asyncio.run(partner_of(bench))
        measure_endpoints(bench, issuer, partner, wish.requests)
        measure_logins(bench, issuer, partner, wish)


if __name__ == "__main__":
    main()
