"""Certificates of persons, one active a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import NotFoundError
from signer_core.identifiers import KeyId
from signer_core.keys.certificates import PersonCertificate
from signer_core.storage.engine import read_once, read_transaction, take_turn, write_transaction
from signer_core.storage.prepared import Prepared
from signer_core.storage.signer.tables import certificates, devices

LISTED_AT_MOST = 100  # keys of one person

# Asked in every signature or request, so built once: to build a query costs more than to run it.
_OF_KEY: Final = Prepared(select(certificates).where(certificates.c.key_id == bindparam("wanted")))
_OF_PERSON: Final = Prepared(
    select(certificates).where(
        certificates.c.person_code == bindparam("wanted"),
        certificates.c.status == bindparam("state"),
    )
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of a person, as its owner may see it."""

    key_id: KeyId
    certificate: bytes = field(repr=False)  # DER
    enrolled_at_s: int  # Unix time


class Certificates:
    """Persons' certificates: the newest enrolment of a person is the one that is asked."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def store(self, certificate: PersonCertificate) -> None:
        """Keep a new certificate and supersede the person's earlier one.

        One that is stored already stays as it is: an old phone that asks again does not become
        the active one.
        """
        earlier = (
            update(certificates)
            .where(certificates.c.person_code == certificate.person_code)
            .where(certificates.c.key_id != certificate.key_id)
            .values(status="superseded")
        )
        stored = select(certificates.c.key_id).where(certificates.c.key_id == certificate.key_id)
        async with write_transaction(self._engine) as connection:
            await take_turn(connection, f"certificates of {certificate.person_code}")
            if await connection.scalar(stored) is None:
                await connection.execute(earlier)
                await connection.execute(insert(certificates).values(_row(certificate)))

    async def renew(self, certificate: PersonCertificate) -> None:
        """Keep a key's new certificate in the place of the one before; its state stays."""
        row = _row(certificate)
        del row["status"]
        renewed = update(certificates).where(certificates.c.key_id == certificate.key_id)
        async with write_transaction(self._engine) as connection:
            await connection.execute(renewed.values(row))

    async def of_key(self, key_id: KeyId) -> PersonCertificate:
        """Return the certificate of a user key.

        Raises:
            NotFoundError: it has none.
        """
        return await self._one(_OF_KEY, {"wanted": key_id})

    async def of_person(self, person_code: str) -> PersonCertificate:
        """Return the active certificate of a person.

        Raises:
            NotFoundError: the person has not enrolled a phone.
        """
        return await self._one(_OF_PERSON, {"wanted": person_code, "state": "active"})

    async def keys_of_person(self, person_code: str) -> tuple[StoredKey, ...]:
        """Return the keys of a person that have a certificate, newest first, at most 100."""
        query = (
            select(certificates.c.key_id, certificates.c.certificate, devices.c.enrolled_at_s)
            .join(devices, devices.c.key_id == certificates.c.key_id)
            .where(certificates.c.person_code == person_code)
            .order_by(devices.c.enrolled_at_s.desc())
            .limit(LISTED_AT_MOST)
        )
        async with read_transaction(self._engine) as connection:
            rows = await connection.execute(query)
            return tuple(StoredKey(KeyId(row[0]), row[1], row[2]) for row in rows)

    async def _one(self, query: Prepared, wanted: Mapping[str, bytes | str]) -> PersonCertificate:
        async with read_once(self._engine) as connection:
            row = await query.find(connection, wanted)
        if row is None:
            raise NotFoundError("this person has no phone that can sign")
        return PersonCertificate(
            key_id=KeyId(row["key_id"]),
            certificate=row["certificate"],
            chain=_issuers(row["chain_pem"]),
            serial=row["serial"],
            person_code=row["person_code"],
            unzr=row["unzr"],
            not_after=datetime.fromtimestamp(row["not_after_s"], UTC),
        )


@lru_cache(maxsize=64)
def _issuers(chain_pem: str) -> tuple[bytes, ...]:
    """Return the DER of each; all persons' certificates have the few same issuers."""
    issuers = x509.load_pem_x509_certificates(chain_pem.encode())
    return tuple(one.public_bytes(Encoding.DER) for one in issuers)


def _row(certificate: PersonCertificate) -> dict[str, object]:
    return {
        "key_id": certificate.key_id,
        "serial": certificate.serial,
        "certificate": certificate.certificate,
        "chain_pem": certificate.chain_pem(),
        "person_code": certificate.person_code,
        "unzr": certificate.unzr,
        "not_after_s": int(certificate.not_after.timestamp()),
        "status": "active",
    }
