"""The audit log: appending against the machine's fsync, and verifying an export.

    python -m benchmarks.audit

Ratios are to floors of the same run: one fsync of a small write, and SHA-256 of the same bytes.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.audit.checkpoint import Checkpoint, checkpoint_text, signed_note
from signer_core.audit.file_sink import FileSink
from signer_core.audit.leaf import Recorded
from signer_core.audit.merkle import inclusion_proof
from signer_core.storage.engine import make_engine, upgrade, write_transaction
from signer_core.storage.signer.audit_log import BATCH, Delivery, append
from signer_core.storage.signer.audit_reading import AuditReading
from signer_core.storage.signer.schema import MIGRATIONS

EVENTS = 100_000
TOOL = Path(__file__).parent.parent / "tools" / "audit_verify.py"


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    fsync_s = _fsync_floor(folder)
    url = f"sqlite+aiosqlite:///{folder}/signer.db"
    await upgrade(url, MIGRATIONS)
    engine, sink = make_engine(url), FileSink(folder / "audit")
    events = [_event(number) for number in range(EVENTS)]
    began = time.perf_counter()
    for start in range(0, EVENTS, BATCH):
        async with write_transaction(engine) as connection:
            rows = await append(connection, Delivery("vault-1", events[start : start + BATCH]))
        sink.append(rows[0].seq, [row.leaf for row in rows])
    append_s = (time.perf_counter() - began) / EVENTS
    reading = AuditReading(engine)
    root = (await reading.tree()).root()
    began = time.perf_counter()
    for index in range(0, EVENTS, EVENTS // 100):
        await reading.prove(lambda fetch, i=index: inclusion_proof(fetch, i, EVENTS))
    prove_s = (time.perf_counter() - began) / 100
    _sign(sink, root)
    sink.close()
    verify_s, hash_s = _verify(folder / "audit")
    await engine.dispose()
    _print("one fsync of 4 KiB (floor)", fsync_s, 1.0)
    _print(f"append in batches of {BATCH}, both sinks, an event", append_s, append_s / fsync_s)
    _print("inclusion proof from the database", prove_s, prove_s / fsync_s)
    _print("SHA-256 of the export, an event (floor)", hash_s, 1.0)
    _print("audit_verify.py, whole process, an event", verify_s, verify_s / hash_s)
    sys.stdout.write(f"verify: {1 / verify_s:,.0f} events/s\n")


def _event(number: int) -> Recorded:
    return Recorded(
        event_id=number.to_bytes(16, "big"),
        at_s=int(datetime.now(UTC).timestamp()),
        event="sign",
        result="signed",
        reason="",
        subject="",
        actor_kind="phone",
        actor_id="ab" * 32,
        source="192.0.2.1",
        correlation_id="cd" * 16,
        key_id=b"k" * 16,
        request_id=number.to_bytes(16, "little"),
    )


def _fsync_floor(folder: Path) -> float:
    times = []
    with (folder / "floor").open("wb") as file:
        for _ in range(100):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[50]


def _sign(sink: FileSink, root: bytes) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = checkpoint_text("vault-1", Checkpoint(EVENTS, root, 0))
    signature = key.sign(text, ec.ECDSA(SHA256()))
    sink.add_checkpoint(signed_note(text, key.public_key(), signature))
    spki = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (sink.folder / "audit-log.pem").write_bytes(spki)


def _verify(folder: Path) -> tuple[float, float]:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, str(TOOL), str(folder), "--key", str(folder / "audit-log.pem")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    verify_s = (time.perf_counter() - began) / EVENTS
    lines = [line for path in sorted(folder.glob("events*")) for line in path.open("rb")]
    began = time.perf_counter()
    for line in lines:
        hashlib.sha256(line).digest()
    return verify_s, (time.perf_counter() - began) / EVENTS


def _print(what: str, seconds: float, ratio: float) -> None:
    sys.stdout.write(f"{what:<50} {seconds * 1e6:>10.1f} us {ratio:>8.2f} x\n")


if __name__ == "__main__":
    main()
