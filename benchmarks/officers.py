"""What officers wait for: a list of 10,000 keys, records moved to a new KEK.

python -m benchmarks.officers

Vault code over SQLite and SoftHSM, in this process, on one core; the keys are one phone's,
copied and sealed anew. The floors beside them: a bare row read, a bare rewrap in the token.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr
from sqlalchemy import insert, select

from grpc_api.credentials import internal_server_credentials
from grpc_api.server import listen, make_internal_server
from grpc_api.servers.vault_admin import SERVICES, add_vault_admin
from hsm_module.admin.access import OfficerDoor
from hsm_module.admin.keys import KeyDesk
from hsm_module.admin.officers import OfficerDesk
from hsm_module.admin.rotation import Rotation
from hsm_module.admin.seals import SealDesk
from hsm_module.admin.service import Admin
from hsm_module.login.keys import LoginKeyring
from hsm_module.officers.key_file import Passphrase, certificate_path, make_key_file
from hsm_module.partners.desk import PartnerDesk
from hsm_module.storage.key_columns import to_columns
from hsm_module.storage.records import Records
from hsm_module.storage.rows import EpochState, Generation, KeyRow
from hsm_module.storage.sealing import MAC_COLUMN, encode
from hsm_module.storage.tables import certificates, keys, share_records
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.initialise import initialise_token
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.port import MAX_AT_ONCE, Rewrap
from hsm_module.token.self_test import pin_key
from signer_core.admin.officers import Grounds, Reason, Role
from signer_core.admin.vault import MAX_BATCH, MAX_PAGE
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.pki.officer import CALLER_NAME
from signer_core.storage.engine import read_transaction, write_transaction
from tests.fakes.pki import make_hierarchy
from tests.fakes.trust_world import make_seals
from tests.fakes.vault_world import VaultWorld
from tests.fixtures.certificates import Certificates
from tests.fixtures.softhsm import POLICIES, make_empty_site

KEYS = 10_000
RECORDS_A_KEY = 3  # share, epoch keys, certificate
SHARE_BYTES, CERTIFICATE_BYTES = 6_900, 1_200


async def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp())
    try:
        token = await open_fresh(folder)
        world = VaultWorld(token, f"sqlite+aiosqlite:///{folder}/vault.db")
        await world.start()
        made = await timed(lambda: populate(world, KEYS))
        print(f"{KEYS} keys made in {made.wall_s:.1f} s")
        await listing(world)
        await whole_command(world, folder)
        await rotating(world, token)
        await world.stop()
        await token.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def open_fresh(folder: Path) -> HsmToken:
    """Make a token with one KEK, and open it as the vault does."""
    site = make_empty_site(folder / "softhsm", "bench")
    pin = SecretStr(secrets.token_hex(16))
    initialise_token(site, SecretStr(secrets.token_hex(16)), pin)
    policies = {name: policy for name, policy in POLICIES.items() if name != "kek-2"}
    with open_token(site, pin, writable=True) as session:
        for name, policy in policies.items():
            session.make_key(name, policy)
        pinned = {name: pin_key(session, name, policy) for name, policy in policies.items()}
    manifest = Manifest(token_label="bench", keys=pinned)
    path = folder / "token-manifest.json"
    path.write_text(manifest.model_dump_json())
    return await HsmToken.open(site, pin, manifest, path)


async def populate(world: VaultWorld, count: int) -> None:
    """Insert keys with a share, epoch keys and a certificate each."""
    records = Records(world.token)
    share, certificate = secrets.token_bytes(SHARE_BYTES), secrets.token_bytes(CERTIFICATE_BYTES)
    for start in range(0, count, MAX_AT_ONCE):
        rows: list[dict[str, Any]] = []
        shares, certs = [], []
        for _ in range(min(MAX_AT_ONCE, count - start)):
            key_id = KeyId(secrets.token_bytes(16))
            blob = await records.wrap("share", key_id, 0, share)
            epoch = EpochState(
                1,
                await records.wrap("epoch-key", key_id, 0, bytes(32)),
                await records.wrap("epoch-key", key_id, 0, bytes(32)),
                last_sid=bytes(32),
            )
            row = KeyRow(
                key_id,
                DeviceKeyHash(secrets.token_bytes(32)),
                bytes(32),
                bytes(33),
                Generation(0, hashlib.sha256(blob).digest(), records.kek_id, epoch),
                certificate_sha256=bytes(32),
            )
            rows.append(to_columns(row))
            sealed = {"key_id": key_id, "kek_id": records.kek_id}
            shares.append({**sealed, "generation": 0, "blob": blob})
            own = await records.wrap("certificate", key_id, 0, certificate)
            certs.append({**sealed, "blob": own})
        macs = await world.token.macs([encode(keys, row) or b"" for row in rows])
        for columns, mac in zip(rows, macs, strict=True):
            columns[MAC_COLUMN] = mac
        async with write_transaction(world.engines[0]) as connection:
            await connection.execute(insert(keys), rows)
            await connection.execute(insert(share_records), shares)
            await connection.execute(insert(certificates), certs)


async def listing(world: VaultWorld) -> None:
    """Read every key, page by page; beside it, the rows alone."""
    desk = KeyDesk(world.vault.context)

    async def pages() -> None:
        after, seen = b"", 0
        while page := await desk.list_keys(after, MAX_PAGE, ""):
            after, seen = page[-1].key_id, seen + len(page)
        assert seen == KEYS

    async def rows() -> None:
        async with read_transaction(world.engines[0]) as connection:
            assert len((await connection.execute(select(keys))).mappings().all()) == KEYS

    floor, ours = await timed(rows), await timed(pages)
    show("rows read, nothing checked", KEYS, floor, floor)
    show("key list: rows, MACs, marks", KEYS, ours, floor)


async def whole_command(world: VaultWorld, folder: Path) -> None:
    """Run `signer-keys key list` over TLS, as an officer does; beside it, its start alone."""
    home = folder / "home"
    for made in (home / "public", home / "officers", folder / "tls"):
        made.mkdir(parents=True)
    context, root = world.vault.context, world.authorities.root
    desk = OfficerDesk(context.store, world.token, world.authorities.infrastructure, context.now)
    key_file, secret = home / "officers" / "anna.key", home / "passphrase"
    secret.write_text("correct horse battery")
    secret.chmod(0o600)
    key = make_key_file(key_file, "anna", Passphrase(secret.read_text()))
    why = Grounds(Reason.DRILL)
    certificate_path(key_file).write_bytes(await desk.add("anna", Role.OFFICER, key.csr(), why))
    ours = Certificates(folder / "tls", make_hierarchy(datetime.now(UTC)))
    (home / "public" / "root.pem").write_bytes(ours.root)
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    tls = ours.process("vault.internal").model_copy(update={"ca": folder / "root.pem"})
    server = make_internal_server({SERVICES[0]: (CALLER_NAME,)})
    rotation, partners = Rotation(context, world.token), PartnerDesk(context.store, world.token)
    keyring, seals = LoginKeyring(context.store, world.token), SealDesk(make_seals(world))
    door, keys = OfficerDoor(context.store), KeyDesk(context)
    admin = Admin(door, keys, rotation, desk, keyring, seals, partners)
    add_vault_admin(server, admin)
    port = listen(server, "127.0.0.1:0", internal_server_credentials(tls))
    (home / "ports.json").write_text(json.dumps({"vault": port}))
    await server.start()
    words = ["--home", str(home), "--passphrase-file", str(secret)]
    start = await command(*words, "officer", "list")
    show("signer-keys officer list", 1, start, start)
    show(
        "signer-keys key list --limit 0",
        KEYS,
        await command(*words, "key", "list", "--limit", "0"),
        start,
    )
    await server.stop(0)


async def command(*words: str) -> "Took":
    """Time a command, its own CPU only; the vault's is in this process."""
    began, cpu = time.perf_counter(), sum(os.times()[2:4])
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hsm_module.officers", *words, stdout=asyncio.subprocess.DEVNULL
    )
    assert await done.wait() == 0
    return Took(time.perf_counter() - began, sum(os.times()[2:4]) - cpu)


async def rotating(world: VaultWorld, token: HsmToken) -> None:
    """Move every record; beside it, what the token alone takes for as many bytes."""
    rotation = Rotation(world.vault.context, token)
    await rotation.start(Grounds(Reason.DRILL))
    kek, moved = token.newest_kek(), 0
    sizes = (SHARE_BYTES, 32, 32, CERTIFICATE_BYTES)
    blobs = [await token.wrap(kek, bytes(size), b"aad") for size in sizes]
    items = [Rewrap(kek, kek, blob, b"aad", b"aad") for blob in blobs] * 16

    async def bare() -> None:
        for _ in range(KEYS // 16):
            await token.rewrap(items)

    async def all_of_it() -> None:
        nonlocal moved
        after = b""
        while True:
            done = await rotation.rewrap(after, MAX_BATCH)
            moved, after = moved + done.records, done.after
            if not after:
                return

    floor, ours = await timed(bare), await timed(all_of_it)
    assert moved == RECORDS_A_KEY * KEYS, moved
    show("rewrap in the token alone", moved, floor, floor)
    show("kek rotate", moved, ours, floor)


@dataclass(frozen=True, slots=True)
class Took:
    """How long something took."""

    wall_s: float
    cpu_s: float  # of all threads


async def timed(work: Callable[[], Awaitable[object]]) -> Took:
    """Time something."""
    began, cpu = time.perf_counter(), time.process_time()
    await work()
    return Took(time.perf_counter() - began, time.process_time() - cpu)


def show(what: str, count: int, took: Took, floor: Took) -> None:
    """Print one row; the ratio is of CPU, which a busy machine does not change."""
    rate = f"{count / took.wall_s:10.0f}/s{count / took.cpu_s:12.0f}/s CPU"
    print(f"{what:32}{took.wall_s:8.2f} s{rate}{took.cpu_s / floor.cpu_s:8.2f} x")


if __name__ == "__main__":
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    asyncio.run(main())
