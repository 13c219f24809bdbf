"""An enrolment session, row by row, and the activation of its key (docs/spec/ecdsa2p.md §2)."""

import hashlib
from dataclasses import replace
from typing import Final

from hsm_module.content import CERTIFICATE_KIND
from hsm_module.context import VaultContext
from hsm_module.sessions.steps import receive
from hsm_module.storage.rows import EpochState, Generation, KeyRow, RequestRow
from signer_core.audit.events import Event
from signer_core.errors import DeniedError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.identity.authorisation import EnrolmentAuthorisation, verify_authorisation
from signer_core.observe.spans import on_thread, timed
from signer_core.ports import Channel, Enrolled
from signer_core.protocol.ecdsa2p.messages import (
    CheckCorrections,
    CheckOpening,
    DevicePublicShare,
    EnrolConfirmation,
    EnrolRequest,
)
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolled, VaultEnrolment
from signer_core.protocol.request import request_hash

CERTIFICATE_REQUEST_TTL_S: Final = 24 * 3600  # a phone may die between row 9 and its PKCS#10


class EnrolmentSessions:
    """Runs enrolment sessions; each call of `run` is one, and nothing of it is kept."""

    def __init__(self, vault: VaultContext) -> None:
        self._vault = vault

    async def run(self, device: DeviceKeyHash, m: EnrolRequest, channel: Channel) -> None:
        """Run one session to its end, from its row 1.

        Raises:
            SignerError: the session is over and everything of it erased.
        """
        token = m.authorisation.decode("ascii", "replace")  # 1
        authorisation = verify_authorisation(token, self._vault.registrar_key, self._vault.now())
        self._verify_named(authorisation, device, m)
        party = VaultEnrolment(self._vault.vault_id, device, self._vault.rng)
        await channel.send(await on_thread(party.step2_commit, m))  # 2
        publics = await receive(channel, DevicePublicShare)  # 3
        await channel.send(await on_thread(party.step4_offer, publics))  # 4
        corrections = await receive(channel, CheckCorrections)  # 5
        await channel.send(await on_thread(party.step6_commit_check, corrections))  # 6
        opening = await receive(channel, CheckOpening)  # 7
        await channel.send(await on_thread(party.step8_open_check, opening))  # 8
        confirmation = await receive(channel, EnrolConfirmation)  # 9
        await self._activate(authorisation, token, party.step10_finish(confirmation))
        await channel.finish(Enrolled())

    def _verify_named(
        self, authorisation: EnrolmentAuthorisation, device: DeviceKeyHash, m: EnrolRequest
    ) -> None:
        """Check that the registrar authorised this key, on this device, in this vault."""
        named = (authorisation.key_id, authorisation.device_key_hash, authorisation.vault_id)
        if named != (m.key_id, device, self._vault.vault_id):
            raise DeniedError("the enrolment was authorised for another key, phone or vault")

    @timed("enrol.activate")
    async def _activate(
        self, authorisation: EnrolmentAuthorisation, token: str, enrolled: VaultEnrolled
    ) -> None:
        """Make the key active and use up its authorisation, in one transaction.

        Raises:
            DeniedError: the authorisation was used before.
        """
        share, records = enrolled.share, self._vault.records.pinned()
        blob = await records.wrap("share", share.key_id, 0, share.to_bytes())
        epoch_key = await records.wrap("epoch-key", share.key_id, 0, enrolled.epoch_key)
        row = KeyRow(
            key_id=share.key_id,
            device_key_hash=share.device_key_hash,
            authorisation_hash=hashlib.sha256(token.encode()).digest(),
            public_key=share.public_key,
            current=Generation(
                number=0,
                share_sha256=hashlib.sha256(blob).digest(),
                kek_id=records.kek_id,
                epoch=EpochState(number=0, key=epoch_key),
            ),
        )
        async with self._vault.store.transaction() as transaction:
            person_mac = await transaction.person_mac(authorisation.person_id)
            row = replace(row, person_mac=person_mac)
            await transaction.consume_authorisation(authorisation.jti, share.key_id)
            await transaction.keys.insert(row)
            await transaction.records.insert_share(share.key_id, 0, records.kek_id, blob)
            expires_at_s = await transaction.now_s() + CERTIFICATE_REQUEST_TTL_S
            request = certificate_request(share.key_id, token, expires_at_s)
            await transaction.requests.insert(request)
            await transaction.record(Event("key-enrolled", "active", share.key_id))


def certificate_request(key_id: KeyId, authorisation: str, expires_at_s: int) -> RequestRow:
    """Return the request for a key's own PKCS#10: its id is the key's."""
    return RequestRow(
        request_id=RequestId(key_id),
        key_id=key_id,
        kind=CERTIFICATE_KIND,
        request_hash=request_hash(CERTIFICATE_KIND, authorisation, "", (), "", key_id),
        file_hashes=(),
        expires_at_s=expires_at_s,
    )
