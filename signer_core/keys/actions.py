"""Requests that a phone opens about a key: suspend, revoke, replace, renew (docs/flows)."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from signer_core.errors import DeniedError, NotFoundError
from signer_core.identifiers import KeyId, RequestId
from signer_core.protocol.key_action import KeyAction, action_hash
from signer_core.signing.model import Clock, Origin, Request, RequestContent, RequestStatus
from signer_core.signing.opening import Opening
from signer_core.storage.signer.certificates import Certificates, StoredKey
from signer_core.storage.signer.requests import Requests

TTL_S: Final = 900  # the person is at the phone


@dataclass(frozen=True, slots=True)
class KeyActions:
    """Opens them; what they do is the vault's, once the PIN confirmed them."""

    requests: Requests
    certificates: Certificates
    opening: Opening
    clock: Clock

    async def others(self, key_id: KeyId) -> tuple[StoredKey, ...]:
        """Return the other keys of this key's person, newest first, at most 100.

        Raises:
            NotFoundError: this key has no certificate yet.
        """
        person = (await self.certificates.of_key(key_id)).person_code
        found = await self.certificates.keys_of_person(person)
        return tuple(one for one in found if one.key_id != key_id)

    async def open(self, key_id: KeyId, action: KeyAction, about: KeyId) -> RequestId:
        """Open a request of the key `key_id`; an open one of the same content is given again.

        Raises:
            DeniedError: only a replacement is about another key.
            NotFoundError: the key to be replaced is none of this person's.
            KeyBlockedError, KeySuspendedError, RetireShareError: this key signs no more.
            UnavailableError: the vault is away.
        """
        if action is KeyAction.REPLACEMENT:
            await self._verify_same_person(key_id, about)
        elif about != key_id:
            raise DeniedError("a key suspends, revokes or renews itself only")
        now_s = int(self.clock().timestamp())
        known = await self.requests.find_action(key_id, action, about, now_s)
        if known is not None:
            return await self.opening.open(known)
        renewed = b""
        if action is KeyAction.RENEWAL:
            in_force = await self.certificates.of_key(key_id)
            renewed = hashlib.sha256(in_force.certificate).digest()
        request = self._make(key_id, action, about, renewed, now_s)
        origin = Origin(f"phone:{key_id.hex()}", request.request_id.hex(), request.request_hash)
        await self.requests.add(request, origin, ())
        return await self.opening.open(request.request_id)

    async def _verify_same_person(self, key_id: KeyId, about: KeyId) -> None:
        if about not in {one.key_id for one in await self.others(key_id)}:
            raise NotFoundError("this person has no other such key")

    def _make(
        self, key_id: KeyId, action: KeyAction, about: KeyId, renewed: bytes, now_s: int
    ) -> Request:
        content = RequestContent(key_id, action, "", "", "", renewed, about)
        return Request(
            request_id=RequestId(secrets.token_bytes(16)),
            content=content,
            request_hash=action_hash(action, about, renewed),
            status=RequestStatus.NEW,
            created_at_s=now_s,
            expires_at_s=now_s + TTL_S,
        )
