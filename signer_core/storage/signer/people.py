"""People as officers look for them: by what is stored, never by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId, RequestId
from signer_core.signing.model import RequestStatus
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.tables import certificates, devices, request_files, requests

LISTED_AT_MOST: Final = 100  # keys of one person
HISTORY_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A key, whose it is, and its certificate."""

    key_id: KeyId
    enrolled_at_s: int  # Unix time
    person_code: str = ""  # empty: not certified yet
    serial: bytes = b""
    status: str = ""  # active, superseded
    not_after_s: int = 0


@dataclass(frozen=True, slots=True)
class PastRequest:
    """A request without what it was about."""

    request_id: RequestId
    kind: str
    status: RequestStatus
    caller: str
    created_at_s: int
    expires_at_s: int
    files: int


class People:
    """Reads only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, by: str, value: str) -> Sequence[PersonKey]:
        """Return the keys of the person that this is about, newest first, at most 100.

        Raises:
            InvalidRequestError: people are not looked up by that, or the value is malformed.
        """
        condition = _condition(by, value)
        person = select(certificates.c.person_code).join(devices).where(condition)
        async with read_transaction(self._engine) as connection:
            codes = set((await connection.execute(person)).scalars())
            whose = certificates.c.person_code.in_(codes) if codes else condition
            rows = (await connection.execute(_keys(whose))).all()
        return [_person_key(row) for row in rows]

    async def history(self, key_id: KeyId, limit: int, before_s: int) -> Sequence[PastRequest]:
        """Return the requests of a key, newest first.

        Raises:
            InvalidRequestError: not 1 to 1000 at once.
        """
        if not 1 <= limit <= HISTORY_AT_MOST:
            raise InvalidRequestError(f"1 to {HISTORY_AT_MOST} requests at once")
        files = (
            select(func.count())
            .where(request_files.c.request_id == requests.c.request_id)
            .scalar_subquery()
        )
        query = (
            select(requests, files.label("files"))
            .where(requests.c.key_id == key_id, requests.c.status != RequestStatus.NEW)
            .order_by(requests.c.created_at_s.desc())
            .limit(limit)
        )
        if before_s:
            query = query.where(requests.c.created_at_s < before_s)
        async with read_transaction(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            PastRequest(
                RequestId(row["request_id"]),
                row["kind"],
                RequestStatus(row["status"]),
                row["caller"],
                row["created_at_s"],
                row["expires_at_s"],
                row["files"],
            )
            for row in rows
        ]

    async def open_requests(self, key_id: KeyId) -> Sequence[RequestId]:
        """Return the ids of a key's open requests."""
        query = select(requests.c.request_id).where(
            requests.c.key_id == key_id, requests.c.status == RequestStatus.OPEN
        )
        async with read_transaction(self._engine) as connection:
            return [RequestId(one) for one in await connection.scalars(query)]


def _condition(by: str, value: str) -> ColumnElement[bool]:
    match by:
        case "rnokpp":
            return certificates.c.person_code == value
        case "unzr":
            return certificates.c.unzr == value
        case "serial":
            return certificates.c.serial == _octets(value, 20).rjust(20, b"\0")
        case "key":
            return devices.c.key_id == _octets(value, 16)
        case "device":
            return devices.c.device_key_hash == _octets(value, 32)
        case "request":
            about = select(requests.c.key_id).where(requests.c.request_id == _octets(value, 16))
            return devices.c.key_id.in_(about)
        case _:
            raise InvalidRequestError("people are found by a number, a key, a serial or a request")


def _octets(value: str, at_most: int) -> bytes:
    try:
        octets = bytes.fromhex(value)
    except ValueError:
        octets = b""
    if not 1 <= len(octets) <= at_most:
        raise InvalidRequestError(f"this takes up to {2 * at_most} hexadecimal digits")
    return octets


def _keys(condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            devices.c.key_id,
            devices.c.enrolled_at_s,
            certificates.c.person_code,
            certificates.c.serial,
            certificates.c.status,
            certificates.c.not_after_s,
        )
        .join(certificates, certificates.c.key_id == devices.c.key_id, isouter=True)
        .where(condition)
        .order_by(devices.c.enrolled_at_s.desc())
        .limit(LISTED_AT_MOST)
    )


def _person_key(row: Row[Any]) -> PersonKey:
    return PersonKey(
        key_id=KeyId(row.key_id),
        enrolled_at_s=row.enrolled_at_s,
        person_code=row.person_code or "",
        serial=row.serial or b"",
        status=row.status or "",
        not_after_s=row.not_after_s or 0,
    )
