"""The checks that every process makes of itself."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cryptography import x509
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.settings import TlsSettings
from signer_core.diagnostics import Examination, Finding, Verdict, examine
from signer_core.errors import UnavailableError
from signer_core.storage.inspection import database_folder, find_damage, inspect

_LITTLE_BYTES: Final = 2 << 30  # a signed PDF is stored twice, 20 MiB each at most
_TOO_LITTLE_BYTES: Final = 256 << 20
_SOON_DAYS: Final = 14
_READING_S: Final = 10.0  # below the limit of a check


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every process stands on."""

    process: str
    engine: AsyncEngine
    database_url: str
    migrations: Path
    tls: TlsSettings

    async def examine(self, more: Mapping[str, Awaitable[Finding]]) -> Examination:
        """Check disk, database, certificate and whatever else the process has."""
        folder = database_folder(self.database_url) or Path.cwd()
        checks: dict[str, Awaitable[Finding]] = {
            "disk": asyncio.to_thread(check_disk, folder),
            "database": check_database(self.engine, self.migrations),
            "integrity": check_integrity(self.engine),
            "certificate": asyncio.to_thread(check_certificate, self.tls.cert, datetime.now(UTC)),
        }
        findings = await examine(checks | dict(more))
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        return Examination(self.process, version("diia-signer"), now_ms, findings)


def check_disk(folder: Path) -> Finding:
    """Write to the folder, durably, and look at the space left.

    Raises:
        UnavailableError: it cannot be written.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
        status = os.statvfs(folder)
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be written: {error.strerror}") from None
    free = status.f_bavail * status.f_frsize
    says = f"{free >> 20} MiB free at {folder}, writable"
    if free >= _LITTLE_BYTES:
        return Finding("disk", Verdict.GOOD, says)
    verdict = Verdict.WARNING if free >= _TOO_LITTLE_BYTES else Verdict.BAD
    return Finding("disk", verdict, says, "make room on this disk: without it nothing is signed")


async def check_integrity(engine: AsyncEngine) -> Finding:
    """Let the database look for damage, for 10 s."""
    try:
        async with asyncio.timeout(_READING_S):
            damage = await find_damage(engine)
    except TimeoutError:
        says = f"too large to be read within {_READING_S:.0f} s"
        advice = "check a copy from a backup with PRAGMA integrity_check"
        return Finding("integrity", Verdict.WARNING, says, advice)
    if damage is not None:
        advice = "stop the process and restore the database: docs/operations.md"
        return Finding("integrity", Verdict.BAD, f"damaged: {damage}", advice)
    return Finding("integrity", Verdict.GOOD, "no damage found")


async def check_database(engine: AsyncEngine, migrations: Path) -> Finding:
    """Compare the tables of the database with those this code wants.

    Raises:
        UnavailableError: it is gone.
    """
    found = await inspect(engine, migrations)
    if found.revision != found.wanted:
        says = f"tables are of {found.revision or 'no revision'}, the code wants {found.wanted}"
        return Finding("database", Verdict.BAD, says, "start the process again: it migrates")
    return Finding("database", Verdict.GOOD, f"{found.engine}, revision {found.revision}")


def check_certificate(path: Path, now: datetime) -> Finding:
    """Look at the days left of the process's own certificate.

    Raises:
        UnavailableError: it cannot be read.
    """
    try:
        certificate, *_ = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise UnavailableError(f"the certificate {path} cannot be read") from None
    days = (certificate.not_valid_after_utc - now).days
    says = f"valid for {days} more days"
    if days > _SOON_DAYS:
        return Finding("certificate", Verdict.GOOD, says)
    verdict = Verdict.WARNING if days >= 0 else Verdict.BAD
    advice = "run the ceremony again: it renews certificates; then start the process again"
    return Finding("certificate", verdict, says, advice)
