"""New certificates for people whose keys stay (docs/flows/renewal.md)."""

from contextlib import suppress
from dataclasses import dataclass

from signer_core.errors import NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import Renewed, VaultKeys
from signer_core.protocol.renewal import is_due
from signer_core.signing.collect import JUDGEMENT_S, Collection


@dataclass(frozen=True, slots=True)
class Renewal:
    """Fetches them, and moves what waits for the key to them."""

    vault: VaultKeys
    collection: Collection

    async def finish(self, key_id: KeyId, device_csr: bytes) -> Renewed:
        """Fetch and keep a key's new certificate, once its owner confirmed; harmless to repeat.

        1. The vault issues: from now on nothing is signed under the certificate before.
        2. What was signed under it is finished with it.
        3. The new one is kept, and what still waits is made anew under it.

        Raises:
            NotFoundError: the owner has confirmed no renewal lately.
            DeniedError, InvalidRequestError: as the vault says.
            KeyBlockedError, KeySuspendedError, RetireShareError, BusyError: the key cannot be used.
            UnavailableError: the vault is away; repeat it.
        """
        parts = self.collection
        renewed = await self.vault.renew_certificate(key_id, device_csr)  # 1
        certificate = PersonCertificate.from_chain(key_id, renewed.person)
        if certificate.certificate != (await parts.certificates.of_key(key_id)).certificate:
            since_s = int(parts.clock().timestamp()) - JUDGEMENT_S
            for request_id in await parts.requests.waiting(key_id, since_s):
                with suppress(VerificationError):  # no signature of ours: it holds up no renewal
                    await parts.collect(request_id)  # 2
            await parts.certificates.renew(certificate)  # 3
        await parts.carry_over.run(key_id, key_id)
        return renewed

    async def due_before_s(self, key_id: KeyId) -> int:
        """Return until when a key's certificate is to be renewed (Unix time), 0 if not yet."""
        try:
            not_after = (await self.collection.certificates.of_key(key_id)).not_after
        except NotFoundError:
            return 0
        return int(not_after.timestamp()) if is_due(not_after, self.collection.clock()) else 0
