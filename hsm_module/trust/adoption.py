"""Certificates that have no status yet: from before the table, and those of the ceremony."""

from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from hsm_module.authorities import INFRASTRUCTURE, ISSUING
from hsm_module.key_transaction import OpenKey, key_transaction
from hsm_module.storage.records import Records
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.store import Store
from hsm_module.trust.status import record_issued, set_status
from signer_core.errors import InvalidRequestError, SignerError
from signer_core.identifiers import KeyId
from signer_core.pki.status import Reason, Status
from signer_core.ports import KeyStatus

_PAGE: Final = 100

_log = structlog.get_logger(__name__)


async def adopt(store: Store, records: Records) -> int:
    """Record every person's certificate that has no status; return how many.

    Killed at any moment, it goes on at the next start. A key that was altered is passed over.
    """
    count, after = 0, b""
    while True:
        async with store.reading() as transaction:
            ids = await transaction.statuses.keys_without(after, _PAGE)
        if not ids:
            return count
        for key_id in ids:
            count += await _adopt(store, records, KeyId(key_id))
        after = ids[-1]


async def adopt_processes(store: Store, infrastructure: x509.Certificate, book: Path) -> int:
    """Record the process certificates that the ceremony entered into `book` (PEM); count the new.

    Raises:
        InvalidRequestError: the book cannot be read, or one in it is not of this authority.
    """
    try:
        listed = x509.load_pem_x509_certificates(book.read_bytes())
    except FileNotFoundError:
        return 0  # of an older ceremony
    except (OSError, ValueError):
        raise InvalidRequestError(f"{book} cannot be read as certificates: restore it") from None
    count = 0
    for certificate in listed:
        try:
            certificate.verify_directly_issued_by(infrastructure)
        except (InvalidSignature, ValueError, TypeError):
            raise InvalidRequestError(f"{book} names a certificate of another authority") from None
        count += await _record_process(store, certificate)
    return count


async def _record_process(store: Store, certificate: x509.Certificate) -> bool:
    try:
        async with store.transaction() as transaction:
            await record_issued(transaction, INFRASTRUCTURE, certificate, "process")
    except (InvalidRequestError, AlteredRowError):
        return False  # it has one, or had one that somebody deleted: that is audited
    return True


async def _adopt(store: Store, records: Records, key_id: KeyId) -> bool:
    try:
        async with key_transaction(store, key_id) as key:
            if await key.transaction.statuses.of_key(key_id):
                return False  # by another process
            await _record(key, records)
    except SignerError as error:
        _log.error("certificate-not-adopted", key_id=key_id.hex(), code=error.code)
        return False
    return True


async def _record(key: OpenKey, records: Records) -> None:
    row = key.row
    sealed = await key.transaction.records.get_certificate(row.key_id)
    der = await records.unwrap("certificate", row.key_id, 0, sealed)
    certificate = x509.load_der_x509_certificate(der)
    await record_issued(key.transaction, ISSUING, certificate, "citizen", row.key_id)
    match row.status:
        case KeyStatus.SUSPENDED:
            await set_status(key.transaction, row.key_id, Status.SUSPENDED, Reason.HOLD)
        case KeyStatus.RETIRED:
            await set_status(key.transaction, row.key_id, Status.REVOKED, Reason.UNSPECIFIED)
        case _:
            pass
