"""The books of mass jobs: which keys, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, distinct, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.storage.engine import read_transaction, take_turn, write_transaction
from signer_core.storage.signer.admin_tables import mass_job_keys, mass_jobs
from signer_core.storage.signer.tables import certificates, devices

PENDING: Final = "pending"
LISTED_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """Which keys a job is about: those enrolled from, and before, these Unix times."""

    issued_from_s: int = 0  # 0: any
    issued_to_s: int = 0
    vault_id: str = ""  # empty: any


@dataclass(frozen=True, slots=True)
class MassJob:
    """One job, and how far it is."""

    job_id: bytes  # 16 bytes
    kind: str  # revoke, refresh
    selection: Selection
    reason: str
    ticket: str
    officer_id: str
    created_at_s: int
    keys: dict[str, int] = field(default_factory=dict)  # by outcome


class MassJobs:
    """The jobs of a signer's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def preview(self, selection: Selection) -> tuple[int, int]:
        """Return how many keys this is about, and of how many people."""
        query = (
            select(func.count(), func.count(distinct(certificates.c.person_code)))
            .select_from(devices)
            .join(certificates, certificates.c.key_id == devices.c.key_id, isouter=True)
            .where(_condition(selection))
        )
        async with read_transaction(self._engine) as connection:
            keys, people = (await connection.execute(query)).one()
        return keys, people

    async def create(self, connection: AsyncConnection, job: MassJob) -> bool:
        """Write a job down with its keys; return False if it is there already.

        Raises:
            InvalidRequestError: another job has this id.
        """
        await take_turn(connection, "mass-jobs")
        known = await _find(connection, job.job_id)
        if known is not None:
            if _wanted(known) != _wanted(job):
                raise InvalidRequestError("this job id is taken by another job")
            return False
        await connection.execute(insert(mass_jobs).values(_columns(job)))
        keys = select(literal(job.job_id), devices.c.key_id, literal(PENDING))
        names = ["job_id", "key_id", "outcome"]
        chosen = keys.where(_condition(job.selection))
        await connection.execute(insert(mass_job_keys).from_select(names, chosen))
        return True

    async def add(self, job_id: bytes, key_ids: Sequence[KeyId]) -> int:
        """Add keys that are not in the job yet; return how many."""
        async with write_transaction(self._engine) as connection:
            await take_turn(connection, "mass-jobs")
            same = mass_job_keys.c.job_id == job_id
            query = select(mass_job_keys.c.key_id).where(same, mass_job_keys.c.key_id.in_(key_ids))
            known = set(await connection.scalars(query))
            new = [key_id for key_id in key_ids if key_id not in known]
            rows = [{"job_id": job_id, "key_id": one, "outcome": PENDING} for one in new]
            if rows:
                await connection.execute(insert(mass_job_keys), rows)
        return len(new)

    async def next_keys(self, job_id: bytes, limit: int) -> Sequence[KeyId]:
        """Return keys that are still to be done, in the order of their ids."""
        query = (
            select(mass_job_keys.c.key_id)
            .where(mass_job_keys.c.job_id == job_id, mass_job_keys.c.outcome == PENDING)
            .order_by(mass_job_keys.c.key_id)
            .limit(limit)
        )
        async with read_transaction(self._engine) as connection:
            return [KeyId(one) for one in await connection.scalars(query)]

    async def note(
        self, connection: AsyncConnection, job_id: bytes, outcomes: dict[KeyId, str], now_s: int
    ) -> bool:
        """Note what became of keys; return whether that was the last of the job, just now."""
        for key_id, outcome in outcomes.items():
            same = and_(mass_job_keys.c.job_id == job_id, mass_job_keys.c.key_id == key_id)
            query = update(mass_job_keys).where(same, mass_job_keys.c.outcome == PENDING)
            await connection.execute(query.values(outcome=outcome))
        left = select(mass_job_keys.c.key_id).where(
            mass_job_keys.c.job_id == job_id, mass_job_keys.c.outcome == PENDING
        )
        finished = (
            update(mass_jobs)
            .where(mass_jobs.c.job_id == job_id, mass_jobs.c.finished_at_s.is_(None))
            .where(~left.exists())
            .values(finished_at_s=now_s)
        )
        return bool((await connection.execute(finished)).rowcount)

    async def get(self, job_id: bytes) -> MassJob:
        """Return a job.

        Raises:
            NotFoundError: there is none of this id.
        """
        async with read_transaction(self._engine) as connection:
            found = await _find(connection, job_id)
        if found is None:
            raise NotFoundError("there is no such mass job")
        return found

    async def all(self) -> Sequence[MassJob]:
        """Return the newest jobs, at most 100."""
        query = select(mass_jobs).order_by(mass_jobs.c.created_at_s.desc()).limit(LISTED_AT_MOST)
        async with read_transaction(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
            return [await _job(connection, dict(row)) for row in rows]


def _condition(selection: Selection) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [devices.c.enrolled_at_s >= selection.issued_from_s]
    if selection.issued_to_s:
        parts.append(devices.c.enrolled_at_s < selection.issued_to_s)
    return and_(*parts)


async def _find(connection: AsyncConnection, job_id: bytes) -> MassJob | None:
    query = select(mass_jobs).where(mass_jobs.c.job_id == job_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else await _job(connection, dict(row))


async def _job(connection: AsyncConnection, row: dict[str, Any]) -> MassJob:
    query = (
        select(mass_job_keys.c.outcome, func.count())
        .where(mass_job_keys.c.job_id == row["job_id"])
        .group_by(mass_job_keys.c.outcome)
    )
    counted = {one[0]: one[1] for one in await connection.execute(query)}
    return MassJob(
        job_id=row["job_id"],
        kind=row["kind"],
        selection=Selection(row["issued_from_s"], row["issued_to_s"], row["vault_id"]),
        reason=row["reason"],
        ticket=row["ticket"],
        officer_id=row["officer_id"],
        created_at_s=row["created_at_s"],
        keys=counted,
    )


def _wanted(job: MassJob) -> tuple[object, ...]:
    return job.kind, job.selection, job.reason, job.ticket


def _columns(job: MassJob) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "issued_from_s": job.selection.issued_from_s,
        "issued_to_s": job.selection.issued_to_s,
        "vault_id": job.selection.vault_id,
        "reason": job.reason,
        "ticket": job.ticket,
        "officer_id": job.officer_id,
        "created_at_s": job.created_at_s,
    }
