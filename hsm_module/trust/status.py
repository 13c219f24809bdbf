"""What a certificate is worth: decided here, in the transaction that decides about its key."""

from collections.abc import Sequence
from dataclasses import replace

from cryptography import x509

from hsm_module.storage.statuses import CertificateName, StatusRow
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import KeyLabel
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId
from signer_core.pki.status import Reason, Status

_PEOPLES = ("citizen", "device")  # kinds whose key is a person's
_ORDER = (Status.GOOD, Status.SUSPENDED, Status.REVOKED)  # it only gets worse


async def record_issued(
    transaction: Transaction,
    issuer: KeyLabel,
    certificate: x509.Certificate,
    kind: str,
    key_id: KeyId | None = None,
) -> None:
    """Record a certificate as good, in the transaction that issues it.

    Raises:
        InvalidRequestError: its serial number is taken.
    """
    name = CertificateName.of(issuer, certificate.serial_number)
    not_after_s = int(certificate.not_valid_after_utc.timestamp())
    await transaction.statuses.insert(StatusRow(name, kind, not_after_s, key_id))


async def set_status(
    transaction: Transaction, about: KeyId | CertificateName, status: Status, reason: Reason
) -> int:
    """Make the certificates of a key, or one certificate, worth less; return how many changed.

    OCSP says it as soon as the transaction is committed, a fresh CRL within a minute. Certificates
    that are that bad already stay as they are. Call it last: it locks what all revocations share.

    Raises:
        NotFoundError: there is no certificate of this name; a key may have none.
        InvalidRequestError: nothing becomes good again; a suspension's reason is a hold.
        AlteredRowError: a row is not as the vault wrote it.
    """
    if status is Status.GOOD or (status is Status.SUSPENDED) != (reason is Reason.HOLD):
        raise InvalidRequestError("a certificate is suspended with a hold, or revoked, for good")
    if isinstance(about, CertificateName):
        rows: Sequence[StatusRow] = [await transaction.statuses.get(about)]
    else:
        rows = await transaction.statuses.of_key(about)
    worse = [row for row in rows if _ORDER.index(row.status) < _ORDER.index(status)]
    now_s = await transaction.now_s() if worse else 0
    for row in worse:
        new = replace(row, status=status, reason=reason, changed_at_s=now_s)
        await transaction.statuses.save(new)
        await transaction.record(_event(new))
    return len(worse)


def _event(row: StatusRow) -> Event:
    subject = f"{row.name.issuer}:{row.name.serial.hex()}"
    key_id = row.key_id if row.kind in _PEOPLES else None
    return Event("certificate-status", row.status.value, key_id, None, row.reason.value, subject)
