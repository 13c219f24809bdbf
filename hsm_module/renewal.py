"""A new certificate on the same key, confirmed by its owner (docs/flows/renewal.md)."""

from dataclasses import replace
from hmac import compare_digest
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.admission import verify_admitted
from hsm_module.certificates import CertificateOffice, sha256, verify_device_csr
from hsm_module.context import VaultContext
from hsm_module.key_actions import verify_renewable
from hsm_module.key_transaction import OpenKey, key_transaction
from hsm_module.storage.records import Records
from hsm_module.storage.rows import RequestRow
from hsm_module.storage.sealing import AlteredRowError
from signer_core.audit.events import Event
from signer_core.errors import DeniedError, NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.pki.device import device_key_hash
from signer_core.pki.subject import subject_of
from signer_core.ports import CertificateChain, Renewed
from signer_core.protocol.key_action import KeyAction, about_hash
from signer_core.protocol.to_be_signed import verify_pkcs10

REPEAT_S: Final = 24 * 3600  # a lost answer is asked for again, after the request's end


class Renewals:
    """Issues what a consumed renewal asks for: at most one certificate each."""

    def __init__(self, vault: VaultContext, office: CertificateOffice) -> None:
        self._vault, self._office = vault, office

    async def renew(self, key_id: KeyId, device_csr: bytes) -> Renewed:
        """Certify a key anew, and its phone's device key with it.

        Repeating the call returns the same certificate of the person for a day.

        Raises:
            NotFoundError: no such key, no renewal that its owner confirmed, or it came too late.
            DeniedError: the device key is not that of the key's phone, or the certificate in force
                is not good.
            InvalidRequestError: the DER PKCS#10 of the device key is malformed.
            RetireShareError, KeySuspendedError, KeyBlockedError, BusyError: the key cannot be used.
        """
        device_key = verify_device_csr(device_csr)
        async with key_transaction(self._vault.store, key_id) as key:
            if not compare_digest(device_key_hash(device_key), key.row.device_key_hash):
                raise DeniedError("this key belongs to another phone")
            verify_admitted(key.row, self._vault.policy, key.now_s, "sign")
            confirmed = await _confirmed(key)
            certificate = await stored_certificate(self._vault.records, key)
            in_force = about_hash(key_id, sha256(certificate))
            found = [one for one in confirmed if one.file_hashes == (in_force,)]
            if found:
                certificate = await self._issue(key, found[0], certificate)
            device = await self._device(key, device_key)
        return Renewed(self._office.citizen_chain(certificate), device)

    async def _issue(self, key: OpenKey, request: RequestRow, in_force: bytes) -> bytes:
        """Issue for the subject of the certificate in force; the one before stays as it is."""
        row, transaction = key.row, key.transaction
        await verify_renewable(key)
        (item,) = request.items
        verify_pkcs10(item.data, public_key=row.public_key)
        before = x509.load_der_x509_certificate(in_force)
        subject = subject_of(before, self._office.country)
        certificate = await self._office.issue_citizen(
            transaction, row.key_id, row.public_key, subject
        )
        records = self._vault.records.pinned()
        blob = await records.wrap("certificate", row.key_id, 0, certificate)
        await transaction.records.replace_certificate(row.key_id, records.kek_id, blob)
        # a session under way is about documents of the certificate before: it ends here
        renewed = replace(row, certificate_sha256=sha256(certificate), live_sid=None)
        await transaction.keys.save(renewed)
        await transaction.record(Event("certificate", "renewed", row.key_id, request.request_id))
        return certificate

    async def _device(
        self, key: OpenKey, public_key: ec.EllipticCurvePublicKey
    ) -> CertificateChain:
        issued = await self._office.issue_device(key.transaction, key.row.key_id, public_key)
        await key.transaction.record(Event("device-certificate", "issued", key.row.key_id))
        return issued


async def stored_certificate(records: Records, key: OpenKey) -> bytes:
    """Return the certificate in force (DER): the record whose hash is in the key's row.

    Raises:
        NotFoundError: the key has none yet.
        AlteredRowError: it is another record.
    """
    expected, key_id = key.row.certificate_sha256, key.row.key_id
    if expected is None:
        raise NotFoundError("this key has no certificate yet")
    try:
        sealed = await key.transaction.records.get_certificate(key_id)
        certificate = await records.unwrap("certificate", key_id, 0, sealed)
    except (VerificationError, NotFoundError):
        raise AlteredRowError("certificates", key_id) from None
    if not compare_digest(sha256(certificate), expected):
        raise AlteredRowError("certificates", key_id)
    return certificate


async def _confirmed(key: OpenKey) -> list[RequestRow]:
    rows = await key.transaction.requests.consumed_since(
        key.row.key_id, KeyAction.RENEWAL, key.now_s - REPEAT_S
    )
    if not rows:
        raise NotFoundError("the owner of this key has confirmed no renewal")
    return list(rows)
