"""Seals on one core: PAdES, detached CAdES, a large PDF; the seal's and TSA's keys on SoftHSM.

python -m benchmarks.seals

Everything runs in one process: signer and vault parts without the wire between them, SQLite with
durable commits. "CPU" rates are per second of CPU time, so that a busy machine says the same as an
idle one; "wall" is the clock's, and there waits for the disk count.
"""

import asyncio
import hashlib
import os
import resource
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from benchmarks.documents import pyhanko_default
from hsm_module.certificates import CertificateOffice
from hsm_module.seals.office import SealOffice
from hsm_module.seals.rules import SealRules, SealSettings, rules_of
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.initialise import initialise_token
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KeyLabel
from hsm_module.token.self_test import pin_key
from hsm_module.token.site import TokenSite, find_module
from hsm_module.trust.context import TrustContext
from hsm_module.trust.own_certificates import OwnCertificates
from hsm_module.trust.services import VaultTrust
from signer_core import documents
from signer_core.pki.der import certificate_der
from signer_core.seals.levels import Levels
from signer_core.seals.model import FileToSeal, Level, SealUser
from signer_core.seals.repair import Repairs
from signer_core.seals.sealing import Sealing
from signer_core.seals.trust import TrustRevocation, TrustTimestamper
from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.schema import MIGRATIONS
from signer_core.storage.signer.seal_repairs import SealRepairs
from tests.fakes import handmade
from tests.fakes.citizen import Citizen
from tests.fakes.pki import ADDRESSES, ukraine
from tests.fakes.vault_world import VaultWorld

USER = SealUser("portal", frozenset({"portal.internal"}))
SEAL = KeyLabel("seal-portal")
MAC = KeyPolicy(kind=KeyKind.MAC, mechanism="SHA256_HMAC", bits=256, uses=("sign", "verify"))
EC = KeyPolicy(kind=KeyKind.SIGNING, mechanism="ECDSA", bits=256, uses=("sign", "verify"))
LABELS = ("issuing-ca", "device-ca", "infrastructure-ca", "ocsp-responder", "tsa", SEAL)
POLICIES = {"state-mac": MAC} | dict.fromkeys(LABELS, EC)
ROUNDS = 60
BATCH = 256
AT_ONCE = 16
DIGEST = hashlib.sha256(b"content").digest()


@dataclass(frozen=True)
class Rate:
    """How much was done in a second."""

    cpu: float  # a second of CPU time
    wall: float  # a second by the clock


def now() -> datetime:
    return datetime.now(UTC)


async def measure(work: Callable[[], Awaitable[object]], rounds: int, each: int = 1) -> Rate:
    """Run `rounds` times what does `each` things; the best of three, after a warm-up."""
    await work()
    best = Rate(0, 0)
    for _ in range(3):
        cpu, wall = cpu_s(), time.perf_counter()
        for _ in range(rounds):
            await work()
        done, cpu, wall = rounds * each, cpu_s() - cpu, time.perf_counter() - wall
        best = Rate(max(best.cpu, done / cpu), max(best.wall, done / wall))
    return best


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def make_token(folder: Path) -> tuple[TokenSite, SecretStr, Manifest]:
    site = TokenSite(find_module(None, os.environ), folder / "softhsm2.conf", "bench")
    site.tokens.mkdir()
    site.lock.touch()
    site.conf.write_text(f"directories.tokendir = {site.tokens}\nobjectstore.backend = file\n")
    pin = SecretStr(secrets.token_hex(16))
    initialise_token(site, SecretStr(secrets.token_hex(16)), pin)
    with open_token(site, pin, writable=True) as session:
        for label, policy in POLICIES.items():
            session.make_key(label, policy)
        pinned = {label: pin_key(session, label, policy) for label, policy in POLICIES.items()}
    return site, pin, Manifest(token_label="bench", keys=pinned)


async def make_sealing(
    folder: Path, token: HsmToken, vault: VaultWorld, executor: ThreadPoolExecutor
) -> Sealing:
    """Put vault and signer parts together, over two databases."""
    store, authorities = vault.vault.context.store, vault.authorities
    own = OwnCertificates(store, token, authorities.issuing, now)
    rules = SealRules(store)
    setting = SealSettings(organisation="Портал", edrpou="00000017", callers=tuple(USER.callers))
    await rules.put(rules_of({"portal": setting}))
    office = CertificateOffice(token, authorities, ukraine(), ADDRESSES, now)
    context = TrustContext(store, token, authorities, own, ADDRESSES, now, secrets.token_bytes)
    trust = VaultTrust(context)
    url = f"sqlite+aiosqlite:///{folder}/signer.db"
    await upgrade(url, MIGRATIONS)
    engine = make_engine(url)
    levels = Levels(
        timestamper=TrustTimestamper(trust),
        revocation=TrustRevocation(trust),
        issuers=(certificate_der(authorities.issuing),),
        executor=executor,
        clock=now,
    )
    repairs = Repairs(SealRepairs(engine, AuditOutbox(engine, now)), levels, now)
    seals = SealOffice(store, token, rules, own, office)
    return Sealing(seals, levels, repairs, now, ZoneInfo("Europe/Kyiv"))


async def run(folder: Path, token: HsmToken, vault: VaultWorld) -> None:
    """Measure everything, a line each."""
    with ThreadPoolExecutor(1) as executor:
        sealing = await make_sealing(folder, token, vault, executor)
        chain = (await sealing.vault.get("portal", USER.callers)).chain
        await pades_lines(sealing, token, chain)
        await cades_lines(sealing, token, chain)
        await large_lines(sealing)
    print("limits: the CPU (pyHanko's reading and writing) for PDFs; for CAdES one by one the")
    print("  transaction, for each use is in the outbox before a signature leaves;")
    print(f"  one fsync is {measure_fsync(folder):.1f} ms")


async def pades_lines(sealing: Sealing, token: HsmToken, chain: tuple[bytes, ...]) -> None:
    page = handmade.one_page()

    async def pades() -> bytes:
        made = documents.prepare_seal(page, seal_certificate=chain[0], sealed_at=now())
        attributes = documents.signed_attributes(made.file_hash, chain[0])
        digest = hashlib.sha256(attributes).digest()
        return documents.finish_pdf(
            made,
            signed_attributes=attributes,
            signature=await token.sign_digest(SEAL, digest),
            certificate_chain=chain,
        )

    def pdfs(level: Level, count: int = 1) -> Callable[[], Awaitable[object]]:
        return lambda: sealing.seal_pdfs(USER, level, [FileToSeal(page)] * count)

    default = await measure(in_thread(pyhanko_default(page, Citizen.make())), 20)
    show("pyHanko's default, one shot, B-B", default, default)
    show("  the token alone: an ECDSA signature", await measure(sign(token), 2000), None)
    show("PAdES B-B, document and token", await measure(pades, ROUNDS * 3), default)
    for level in (Level.B_B, Level.B_T):
        alone = await measure(pdfs(level), ROUNDS)
        show(f"PAdES {level}, service, one by one", alone, default)
        several = await measure(pdfs(level, 32), 4, 32)
        show(f"PAdES {level}, service, 32 in a call", several, default)


async def cades_lines(sealing: Sealing, token: HsmToken, chain: tuple[bytes, ...]) -> None:
    async def cades() -> bytes:
        attributes = documents.detached_attributes(DIGEST, chain[0], now())
        signature = await token.sign_digest(SEAL, hashlib.sha256(attributes).digest())
        return documents.finish_detached(attributes, signature, chain)

    def digests(count: int) -> Callable[[], Awaitable[object]]:
        return lambda: sealing.seal_digests(USER, Level.B_B, [DIGEST] * count)

    def at_once() -> Awaitable[object]:
        return asyncio.gather(*(digests(1)() for _ in range(AT_ONCE)))

    show("CAdES, document and token", await measure(cades, 1000), None)
    show("CAdES, service, one by one", await measure(digests(1), ROUNDS * 3), None)
    show(f"CAdES, service, {AT_ONCE} at once", await measure(at_once, 20, AT_ONCE), None)
    show(f"CAdES, service, {BATCH} in a call", await measure(digests(BATCH), 8, BATCH), None)


async def large_lines(sealing: Sealing) -> None:
    large = FileToSeal(large_pdf())
    for level in (Level.B_B, Level.B_T):
        cpu, wall = cpu_s(), time.perf_counter()
        await sealing.seal_pdfs(USER, level, [large])
        took = time.perf_counter() - wall
        megabytes = len(large.pdf) / 1e6
        print(f"{megabytes:.1f} MB PDF, {level}: {took:.2f} s, CPU {cpu_s() - cpu:.2f} s")


def in_thread(work: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    return lambda: asyncio.to_thread(work)  # pyHanko starts an event loop of its own


def sign(token: HsmToken) -> Callable[[], Awaitable[object]]:
    return lambda: token.sign_digest(SEAL, DIGEST)


def large_pdf() -> bytes:
    """One page with nearly 20 MiB of what cannot be compressed."""
    objects = handmade.pages()
    filler = secrets.token_bytes(20 * 1024 * 1024 - 4096)
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(filler), filler))
    return handmade.with_table(objects)


def measure_fsync(folder: Path) -> float:
    """Return what a durable write of 4 KiB costs, in milliseconds."""
    descriptor = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY)
    start = time.perf_counter()
    for _ in range(50):
        os.pwrite(descriptor, bytes(4096), 0)
        os.fsync(descriptor)
    os.close(descriptor)
    return (time.perf_counter() - start) / 50 * 1000


def show(name: str, rate: Rate, floor: Rate | None) -> None:
    ratio = f"{rate.cpu / floor.cpu:6.1f} x pyHanko" if floor else ""
    print(f"{name:40} {rate.cpu:8.0f}/s CPU {rate.wall:8.0f}/s wall {ratio}", flush=True)


async def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "token").mkdir()
        site, pin, manifest = make_token(folder / "token")
        token = await HsmToken.open(site, pin, manifest)
        try:
            vault = VaultWorld(token, f"sqlite+aiosqlite:///{folder}/vault.db")
            await vault.start()
            await run(folder, token, vault)
            await vault.stop()
        finally:
            await token.close()


if __name__ == "__main__":
    asyncio.run(main())
