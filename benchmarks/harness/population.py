"""Phones enrolled for a benchmark: each with its own key, its own person code, its own folder.

Enrolled through the real processes; only Argon2id is replaced, in this process, by something
quick. The sandbox knows few people, so the signer's table of certificates then gets a person code
of its own for each phone: it says whom a caller means, and nothing of the signature hangs on it.
"""

import asyncio
import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from sqlalchemy import update

from benchmarks.harness.system import Bench
from mobile_share import enrolment
from mobile_share import pin as phone_pin
from mobile_share.cli.context import SANDBOX_PHOTO
from mobile_share.cli.screen import now_utc
from mobile_share.deployment import Deployment
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone, open_phone
from mobile_share.pin import PinMask
from mobile_share.wire import enrolment_client, signer_client
from portal_web.cli.connection import System as Connection
from signer_core.protocol.transcript import Q
from signer_core.storage.engine import make_engine, write_transaction
from signer_core.storage.signer.tables import certificates

PIN = "58312"
_LANES = 4  # enrolments at once


@dataclass(frozen=True, slots=True)
class Member:
    """One phone of the population."""

    folder: Path
    person_code: str  # for callers of the signer


def work_out_factors_first(*, argon2id: bool) -> None:
    """Replace Argon2id in this process: F comes from an HMAC, as if it were worked out before.

    With `argon2id` its work is done all the same, and thrown away.
    """

    def derive(pin: str, device_secret: bytes, mask: PinMask) -> int:
        if argon2id:
            _argon2id(pin, mask)
        quick = hmac.digest(device_secret, mask.salt + pin.encode(), hashlib.sha384)
        return int.from_bytes(quick, "big") % Q

    phone_pin._derive_factor = derive  # noqa: SLF001  the party is called with a ready F


def _argon2id(pin: str, mask: PinMask) -> None:
    cost = mask.parameters
    hash_secret_raw(pin.encode(), mask.salt, cost.passes, cost.memory_kib, cost.lanes, 48, Type.ID)


def members(bench: Bench, count: int) -> list[Member]:
    """Return the first `count` phones, which may not be enrolled yet."""
    folder = bench.home.root / "phones"
    return [Member(folder / f"{n:04}", f"bench-{n:04}") for n in range(count)]


async def populate(bench: Bench, count: int) -> list[Member]:
    """Enrol whoever is missing of the first `count` phones; print how long that took."""
    wanted = members(bench, count)
    missing = [one for one in wanted if not (one.folder / "listed").exists()]
    if not missing:
        return wanted
    begun, cpu = time.perf_counter(), time.process_time()
    left = iter(missing)
    async with Connection(bench.home.root).sandbox() as sandbox:
        people = [one for one in await sandbox.people() if one.behaviour == "approves"]

        async def lane(person_id: str) -> None:
            for one in left:
                code = (await sandbox.issue_activation_code(person_id)).activation_code
                await _enrol(bench, one, code)

        await asyncio.gather(*(lane(person.person_id) for person in people[:_LANES]))
    spent = time.perf_counter() - begun
    print(
        f"enrolled {len(missing)} phones: {1000 * spent / len(missing):.0f} ms each,"
        f" of it the phones' CPU {1000 * (time.process_time() - cpu) / len(missing):.0f} ms"
    )
    return wanted


async def _enrol(bench: Bench, one: Member, code: str) -> None:
    if one.folder.exists():  # of a run that was killed
        one.folder.rename(one.folder.with_name(f"{one.folder.name}.{os.getpid()}.broken"))
    one.folder.parent.mkdir(exist_ok=True)
    phone = Phone(one.folder, FileKeyStore(one.folder), Deployment.read(bench.home.deployment))
    async with enrolment_client(phone.deployment) as client:
        begun = await enrolment.begin(phone, client, code, SANDBOX_PHOTO, now_utc())
    phone = open_phone(one.folder, phone.key_store)
    async with signer_client(phone) as signer:
        await enrolment.make_shares(phone, signer, begun.grant, PIN)
        await enrolment.certify(phone, signer, begun, PIN, now_utc())
    await _list(bench, one, begun.grant.key_id)
    (one.folder / "listed").touch()


async def _list(bench: Bench, one: Member, key_id: bytes) -> None:
    engine = make_engine(bench.database("signer"))
    async with write_transaction(engine) as connection:
        await connection.execute(
            update(certificates)
            .where(certificates.c.key_id == key_id)
            .values(person_code=one.person_code, status="active")
        )
    await engine.dispose()
