"""Activation codes: each rule is one statement, so that it holds under concurrency."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.errors import VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.storage.registrar.tables import activation_codes, wrong_guesses

_codes = activation_codes


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """What was granted for a code."""

    key_id: KeyId
    authorisation: str = field(repr=False)
    expires_at_s: int  # Unix time


@dataclass(frozen=True, slots=True)
class DeviceOwner:
    """Whose a phone is."""

    person_id: str
    key_ids: tuple[KeyId, ...]  # granted to it


# Asked in every signature, so built once: to build a query costs more than to run it.
_GRANTED_TO: Final = select(_codes.c.person_id, _codes.c.key_id).where(
    _codes.c.device_key_hash == bindparam("device"), _codes.c.authorisation.is_not(None)
)


class ActivationCodes:
    """The codes, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def insert(self, code_hash: bytes, person_id: str, expires_at_s: int) -> None:
        """Store a new code."""
        row = {"code_hash": code_hash, "person_id": person_id, "expires_at_s": expires_at_s}
        await self._connection.execute(insert(_codes).values(row))

    async def bind(self, code_hash: bytes, device: DeviceKeyHash, now_s: int) -> str | None:
        """Give a live code to the first device that shows it; return the person's id.

        None where there is no such code, it has expired, it is another device's, or this device
        is another person's.
        """
        other = _codes.alias("other")
        another_person = exists().where(
            other.c.device_key_hash == device, other.c.person_id != _codes.c.person_id
        )
        statement = (
            update(_codes)
            .where(
                _codes.c.code_hash == code_hash,
                _codes.c.expires_at_s > now_s,
                or_(_codes.c.device_key_hash.is_(None), _codes.c.device_key_hash == device),
                ~another_person,
            )
            .values(device_key_hash=device)
            .returning(_codes.c.person_id)
        )
        bound: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return bound

    async def grant(self, code_hash: bytes, grant: StoredGrant) -> None:
        """Store the grant of a code that has none; the first one stays."""
        statement = (
            update(_codes)
            .where(_codes.c.code_hash == code_hash, _codes.c.authorisation.is_(None))
            .values(
                key_id=grant.key_id,
                authorisation=grant.authorisation,
                authorisation_expires_at_s=grant.expires_at_s,
            )
        )
        await self._connection.execute(statement)

    async def find_grant(self, code_hash: bytes) -> StoredGrant | None:
        """Return what was granted for a code."""
        statement = select(
            _codes.c.key_id, _codes.c.authorisation, _codes.c.authorisation_expires_at_s
        ).where(_codes.c.code_hash == code_hash, _codes.c.authorisation.is_not(None))
        row = (await self._connection.execute(statement)).one_or_none()
        return row and StoredGrant(KeyId(row[0]), row[1], row[2])

    async def find_owner(self, device: DeviceKeyHash) -> DeviceOwner | None:
        """Return the person for whom something was granted to this device, and the keys.

        Raises:
            VerificationError: to two persons; `bind` keeps it from happening.
        """
        rows = (await self._connection.execute(_GRANTED_TO, {"device": device})).all()
        people = {row.person_id for row in rows}
        if len(people) > 1:
            raise VerificationError("a phone is two persons'")
        return DeviceOwner(people.pop(), tuple(KeyId(row.key_id) for row in rows)) if rows else None


class WrongGuesses:
    """Codes that were none, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def count_since(self, since_s: int, device: DeviceKeyHash | None = None) -> int:
        """Count the guesses of one device, or of all; older ones are forgotten."""
        await self._connection.execute(delete(wrong_guesses).where(wrong_guesses.c.at_s < since_s))
        statement = select(func.count()).select_from(wrong_guesses)
        if device is not None:
            statement = statement.where(wrong_guesses.c.device_key_hash == device)
        return (await self._connection.execute(statement)).scalar_one()

    async def record(self, device: DeviceKeyHash, now_s: int) -> None:
        """Remember one."""
        row = {"device_key_hash": device, "at_s": now_s}
        await self._connection.execute(insert(wrong_guesses).values(row))
