"""Keys and the certificates issued for them (`signer_core.ports.VaultKeys`)."""

from dataclasses import replace
from hmac import compare_digest
from typing import Final

from hsm_module.admission import verify_active
from hsm_module.certificates import CertificateOffice, sha256, verify_device_csr
from hsm_module.context import VaultContext
from hsm_module.key_transaction import OpenKey, key_reading, key_transaction, suspend
from hsm_module.renewal import Renewals, stored_certificate
from hsm_module.storage.rows import KeyRow
from signer_core.audit.events import Event
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId, RequestId
from signer_core.identity.authorisation import verify_authorisation, verify_used_authorisation
from signer_core.pki.device import device_key_hash
from signer_core.ports import CertificateChain, KeyState, KeyStatus, Renewed, RequestState
from signer_core.protocol.to_be_signed import verify_pkcs10

HASH_BYTES: Final = 32


class Keys:
    """The vault's keys, as the signer may ask about them."""

    def __init__(self, vault: VaultContext, office: CertificateOffice) -> None:
        self._vault = vault
        self._office = office
        self._renewals = Renewals(vault, office)

    async def issue_device_certificate(
        self, authorisation: str, device_csr: bytes
    ) -> CertificateChain:
        """Certify the device key that an enrolment authorisation names (chain without root).

        Raises:
            DeniedError: the authorisation is not the registrar's, expired, or names another key.
            InvalidRequestError: the DER PKCS#10 is malformed or does not verify.
        """
        vault = self._vault
        named = verify_authorisation(authorisation, vault.registrar_key, vault.now())
        public_key = verify_device_csr(device_csr)
        key_hash = device_key_hash(public_key)
        if (named.device_key_hash, named.vault_id) != (key_hash, vault.vault_id):
            raise DeniedError("the enrolment was authorised for another phone or vault")
        async with vault.store.transaction() as transaction:
            issued = await self._office.issue_device(transaction, named.key_id, public_key)
            await transaction.record(Event("device-certificate", "issued", named.key_id))
        return issued

    async def issue_certificate(self, key_id: KeyId, authorisation: str) -> CertificateChain:
        """Certify a key that has signed its own PKCS#10; the subject is the authorisation's.

        Repeating the call returns the same certificate.

        Raises:
            NotFoundError: no such key, or it has not signed its PKCS#10 yet.
            DeniedError: the authorisation is not the one the key was enrolled under.
        """
        async with key_transaction(self._vault.store, key_id) as key:
            if not compare_digest(sha256(authorisation.encode()), key.row.authorisation_hash):
                raise DeniedError("the key was enrolled under another authorisation")
            if key.row.certificate_sha256 is None:
                certificate = await self._issue(key, authorisation)
            else:
                certificate = await stored_certificate(self._vault.records, key)
        return self._office.citizen_chain(certificate)

    async def renew_certificate(self, key_id: KeyId, device_csr: bytes) -> Renewed:
        """Certify a key and its phone anew; see `Renewals.renew`."""
        return await self._renewals.renew(key_id, device_csr)

    async def key_state(self, key_id: KeyId) -> KeyState:
        """Return the state of a key.

        Raises:
            NotFoundError: no such key.
        """
        async with key_reading(self._vault.store, key_id) as key:
            row = key.row
        left = self._vault.policy.attempts_left(row.failed, row.lifetime_failed)
        return KeyState(
            status=_status(row, left),
            attempts_left=left,
            hold_until_s=row.hold_until_s if row.hold_until_s > key.now_s else 0,
            signatures=row.signatures,
            generation=row.current.number,
            device_key_hash=row.device_key_hash,
            wrong_tries=row.failed,
            ended_by=row.ended_by or "",
            must_refresh=row.must_refresh,
        )

    async def set_suspend_code(self, key_id: KeyId, code_hash: bytes) -> None:
        """Keep the hash (32 bytes) of a key's suspend code; repeating the same is harmless.

        Raises:
            InvalidRequestError: the key has another code already, or the hash has another size.
            NotFoundError: no such key.
        """
        if len(code_hash) != HASH_BYTES:
            raise InvalidRequestError("the hash of a suspend code has 32 bytes")
        async with key_transaction(self._vault.store, key_id) as key:
            if key.row.suspend_code_hash == code_hash:
                return
            verify_active(key.row, self._vault.policy)
            if key.row.suspend_code_hash is not None:
                raise InvalidRequestError("this key has a suspend code already")
            if await key.transaction.keys.ids_with("suspend_code_hash", code_hash):
                raise InvalidRequestError("this suspend code is taken: make another one")
            await key.transaction.keys.save(replace(key.row, suspend_code_hash=code_hash))
            await key.transaction.record(Event("suspend-code", "set", key_id))

    async def suspend_by_code(self, code_hash: bytes) -> None:
        """Suspend the key with this code for good; repeating it is harmless.

        Raises:
            NotFoundError: no key has this code.
        """
        async with self._vault.store.reading() as transaction:
            found = await transaction.keys.ids_with("suspend_code_hash", code_hash)
        if len(found) != 1:
            raise NotFoundError("no key has this suspend code")
        async with key_transaction(self._vault.store, found[0]) as key:
            if not compare_digest(key.row.suspend_code_hash or b"", code_hash):
                raise NotFoundError("no key has this suspend code")
            if key.row.status in (KeyStatus.ACTIVE, KeyStatus.RESTORED):
                await suspend(key.transaction, key.row, "code")

    async def _issue(self, key: OpenKey, authorisation: str) -> bytes:
        """Issue in the transaction that stores it: one key, one certificate."""
        row, vault = key.row, self._vault
        verify_active(row, vault.policy)
        await _verify_own_request(key)
        person = verify_used_authorisation(authorisation, vault.registrar_key)
        if person.country != self._office.country.code:
            raise DeniedError("this vault issues no certificates for that country")
        certificate = await self._office.issue_citizen(
            key.transaction, row.key_id, row.public_key, person.subject
        )
        records = vault.records.pinned()
        blob = await records.wrap("certificate", row.key_id, 0, certificate)
        await key.transaction.records.insert_certificate(row.key_id, records.kek_id, blob)
        await key.transaction.keys.save(replace(row, certificate_sha256=sha256(certificate)))
        await key.transaction.record(Event("certificate", "issued", row.key_id))
        return certificate


async def _verify_own_request(key: OpenKey) -> None:
    """Check that the key has signed its own PKCS#10: it was about this key's own Q (§6)."""
    request = await key.transaction.requests.get(RequestId(key.row.key_id))
    if request.state is not RequestState.CONSUMED:
        raise NotFoundError("this key has not signed its certificate request yet")
    (item,) = request.items
    verify_pkcs10(item.data, public_key=key.row.public_key)


def _status(row: KeyRow, attempts_left: int) -> KeyStatus:
    if row.status is KeyStatus.ACTIVE and attempts_left == 0:
        return KeyStatus.BLOCKED
    return row.status
