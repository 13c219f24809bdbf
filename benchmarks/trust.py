"""Trust services on one core: OCSP, timestamps, a CRL of 100,000 entries.

python -m benchmarks.trust            the vault's part, on SoftHSM and SQLite
python -m benchmarks.trust --http     the whole way over HTTP, through a running system, too

Rates are per second of CPU time, so that a busy machine says the same as an idle one; of the whole
way the CPU time is that of portal, signer and vault together.
"""

import argparse
import asyncio
import hashlib
import os
import resource
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pydantic import SecretStr
from sqlalchemy import insert

from benchmarks.harness.web import HttpLoad
from deploy.home import Home
from deploy.system import running
from hsm_module.authorities import ISSUING
from hsm_module.storage import sealing
from hsm_module.storage.statuses import CertificateName, StatusRow, to_columns
from hsm_module.storage.trust_tables import certificate_statuses, crl_heads
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.initialise import initialise_token
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KeyLabel
from hsm_module.token.self_test import pin_key
from hsm_module.token.site import TokenSite, find_module
from hsm_module.trust.services import VaultTrust
from signer_core.pki.status import Reason, Status
from signer_core.storage.engine import write_transaction
from tests.fakes.trust_world import make_trust
from tests.fakes.vault_world import VaultWorld

ROUNDS = 2000
ENTRIES = 100_000
CERTIFICATES = 200  # asked about in turn
MAC = KeyPolicy(kind=KeyKind.MAC, mechanism="SHA256_HMAC", bits=256, uses=("sign", "verify"))
EC = KeyPolicy(kind=KeyKind.SIGNING, mechanism="ECDSA", bits=256, uses=("sign", "verify"))
LABELS = ("issuing-ca", "device-ca", "infrastructure-ca", "ocsp-responder", "tsa")
POLICIES = {"state-mac": MAC} | dict.fromkeys(LABELS, EC)

Ask = Callable[[bytes], Awaitable[bytes]]


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


async def insert_rows(world: VaultWorld, count: int, status: Status, reason: Reason) -> list[int]:
    """Store certificates of this status; return their serial numbers."""
    table, now_s = certificate_statuses, world.clock.unix_time_s()
    serials = [int.from_bytes(secrets.token_bytes(15)) | 1 << 119 for _ in range(count)]
    for start in range(0, count, 256):
        rows = [
            to_columns(
                StatusRow(
                    CertificateName.of(ISSUING, serial),
                    "citizen",
                    now_s + 10**7,
                    None,
                    status,
                    reason,
                    now_s,
                )
            )
            for serial in serials[start : start + 256]
        ]
        for row in rows:
            row[sealing.MAC_COLUMN] = await sealing.seal(world.token, table, row)
        async with write_transaction(world.engines[0]) as connection:
            await connection.execute(insert(table), rows)
    return serials


def ocsp_request(issuer: x509.Certificate, serial: int, nonce: bytes | None) -> bytes:
    name = hashlib.sha1(issuer.subject.public_bytes(Encoding.DER)).digest()
    key = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def timestamp_requests(count: int) -> list[bytes]:
    return [
        tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": secrets.token_bytes(32),
                },
                "nonce": number + 1,
                "cert_req": True,
            }
        ).dump()
        for number in range(count)
    ]


async def rate(ask: Ask, requests: Sequence[bytes]) -> float:
    """Return answers a CPU second, asked one after another."""
    start = time.process_time()
    for request in requests:
        await ask(request)
    return len(requests) / (time.process_time() - start)


async def vault_rates(world: VaultWorld, trust: VaultTrust) -> None:
    issuing = world.authorities.issuing
    serials = await insert_rows(world, CERTIFICATES, Status.GOOD, Reason.NONE)
    plain = [ocsp_request(issuing, one, None) for one in serials] * (ROUNDS // CERTIFICATES)
    noncing = [ocsp_request(issuing, one, secrets.token_bytes(16)) for one in serials] * 5
    stamps = timestamp_requests(ROUNDS // 2)
    await rate(trust.answer_ocsp, plain[:CERTIFICATES])  # the first answers are made here
    label = KeyLabel("tsa")
    digest = bytes(32)
    start = time.process_time()
    for _ in range(ROUNDS):
        await world.token.sign_digest(label, digest)
    floor = ROUNDS / (time.process_time() - start)
    print(f"{'token alone: one signature':<44}{floor:>9.0f}/s    1.00")
    for name, ask, requests, wanted in (
        ("OCSP, made ahead", trust.answer_ocsp, plain, 600),
        ("OCSP with a nonce", trust.answer_ocsp, noncing, 200),
        ("timestamp", trust.timestamp, stamps, 150),
    ):
        found = await rate(ask, requests)
        print(f"{name:<44}{found:>9.0f}/s {found / floor:>7.2f}    wanted {wanted}")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def crl(world: VaultWorld, trust: VaultTrust) -> None:
    await insert_rows(world, ENTRIES, Status.REVOKED, Reason.SUPERSEDED)
    async with write_transaction(world.engines[0]) as connection:
        row = {"issuer": ISSUING, "changes": 1, "seen_changes": 0, "number": 0, "made_at_s": 0}
        await connection.execute(insert(crl_heads).values(row))
    before = peak_mib()
    for name in ("the first after a start", "the next: only what has changed"):
        start, cpu = time.perf_counter(), time.process_time()
        await trust.crls.make(ISSUING)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        size = len((await trust.crl(ISSUING)).der) / 1e6  # type: ignore[union-attr]  # just made
        print(f"CRL of {ENTRIES:,}, {name:<36}{cpu:>6.2f} s CPU, {wall:.2f} s, {size:.1f} MB")
    print(f"peak memory of the process: {peak_mib():.0f} MiB, before the CRLs {before:.0f} MiB")


def quadratic() -> None:
    """Show what `cryptography`'s own builder costs."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    for count in (1000, 2000, 4000, 8000):
        start = time.process_time()
        builder = x509.CertificateRevocationListBuilder(name, now, now + timedelta(days=1))
        for serial in range(1, count + 1):
            one = x509.RevokedCertificateBuilder(serial, now).build()
            builder = builder.add_revoked_certificate(one)
        builder.sign(key, hashes.SHA256())
        print(f"add_revoked_certificate, {count:>5} entries {time.process_time() - start:>16.2f} s")


async def whole_way() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Home(Path(folder)), lambda _: None) as system,
    ):
        load = HttpLoad(system)
        issuing = x509.load_der_x509_certificate(await load.get("/ca/issuing-ca.cer"))
        tsa = x509.load_der_x509_certificate(await load.get("/ca/tsa.cer"))
        plain = ocsp_request(issuing, tsa.serial_number, None)
        noncing = [
            ocsp_request(issuing, tsa.serial_number, secrets.token_bytes(16)) for _ in range(ROUNDS)
        ]
        for name, path, bodies in (
            ("HTTP: OCSP, made ahead", "/ocsp", [plain] * ROUNDS),
            ("HTTP: OCSP with a nonce", "/ocsp", noncing),
            ("HTTP: timestamp", "/tsa", timestamp_requests(ROUNDS)),
        ):
            done = await load.post_all(path, bodies)
            shares = ", ".join(f"{who} {ms:.2f} ms" for who, ms in done.cpu_ms.items())
            print(f"{name:<44}{done.per_cpu_second:>9.0f}/s    ({shares})")


async def main(*, over_http: bool) -> None:
    """Print the tables."""
    print(f"{'':<44}{'per CPU s':>11} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token = await HsmToken.open(*make_token(folder))
        world = VaultWorld(token, f"sqlite+aiosqlite:///{folder}/vault.db")
        try:
            await world.start()
            trust = make_trust(world)
            await vault_rates(world, trust)
            await crl(world, trust)
        finally:
            await world.stop()
            await token.close()
    quadratic()
    if over_http:
        await whole_way()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", action="store_true", help="the whole way, too")
    asyncio.run(main(over_http=parser.parse_args().http))
