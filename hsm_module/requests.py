"""Requests as the vault knows them: hashes only (`signer_core.ports.VaultRequests`)."""

from dataclasses import replace
from typing import Final

from hsm_module.admission import verify_active
from hsm_module.content import CERTIFICATE_KIND
from hsm_module.context import VaultContext
from hsm_module.key_actions import verify_action
from hsm_module.key_transaction import OpenKey, key_transaction
from hsm_module.storage.rows import RequestRow
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import RequestId
from signer_core.ports import RequestRegistration, RequestResult, RequestState
from signer_core.protocol.ecdsa2p.messages import MAX_DIGESTS
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.request_kind import OF_CHALLENGE, SIGNED

ID_BYTES: Final = 16
HASH_BYTES: Final = 32
KINDS: Final = frozenset(map(str, (*SIGNED, *KeyAction)))
MAX_TTL_S: Final = 31 * 24 * 3600  # no request waits longer than a month for its owner


class Requests:
    """The arbiter of "signed once"."""

    def __init__(self, vault: VaultContext) -> None:
        self._vault = vault

    async def register(self, registration: RequestRegistration) -> None:
        """Open a request; repeating the same one is harmless.

        Raises:
            InvalidRequestError: the id is taken by another content, or the content is malformed.
            NotFoundError: no such key.
            KeyBlockedError, KeySuspendedError, RetireShareError: the key cannot sign any more.
        """
        _verify_form(registration)
        async with key_transaction(self._vault.store, registration.key_id) as key:
            verify_active(key.row, self._vault.policy)
            found = await key.transaction.requests.find(registration.request_id)
            if found is None:
                await _open(key, registration)
            else:
                _verify_same(found, registration)

    async def burn(self, request_id: RequestId) -> None:
        """Void an open request for good; a burned one stays burned.

        Raises:
            NotFoundError: no such request.
            InvalidRequestError: it is consumed or being judged.
        """
        async with self._vault.store.reading_once() as transaction:
            key_id = (await transaction.requests.get(request_id)).key_id
        async with key_transaction(self._vault.store, key_id) as key:
            request = await key.transaction.requests.get(request_id)
            if request.state in (RequestState.CONSUMED, RequestState.RESERVED):
                raise InvalidRequestError("this request is signed or being signed")
            if request.state is RequestState.OPEN:
                burned = replace(request, state=RequestState.BURNED)
                await key.transaction.requests.save(burned)
                await key.transaction.record(Event("request", "burned", key_id, request_id))

    async def result(self, request_id: RequestId) -> RequestResult:
        """Return state and signatures.

        Raises:
            NotFoundError: no such request.
        """
        request = await self._read(request_id)
        if request.state is RequestState.RESERVED:
            # whoever meets a judgement whose process died settles it (§3.1.6)
            async with key_transaction(self._vault.store, request.key_id):
                pass
            request = await self._read(request_id)
        return RequestResult(request.state, request.items)

    async def _read(self, request_id: RequestId) -> RequestRow:
        async with self._vault.store.reading_once() as transaction:
            return await transaction.requests.get(request_id)


def _verify_form(registration: RequestRegistration) -> None:
    """Check sizes and counts; a key's own certificate request is the vault's alone to open."""
    ids = (registration.request_id, registration.key_id)
    hashes = (registration.request_hash, *registration.file_hashes)
    if {len(i) for i in ids} != {ID_BYTES} or {len(h) for h in hashes} != {HASH_BYTES}:
        raise InvalidRequestError("ids are 16 bytes, hashes 32")
    if not 1 <= len(registration.file_hashes) <= MAX_DIGESTS:
        raise InvalidRequestError(f"a request has 1 to {MAX_DIGESTS} files")
    if registration.kind in OF_CHALLENGE and len(registration.file_hashes) != 1:
        raise InvalidRequestError("a login or a consent signs one hash: its challenge")
    if registration.kind == CERTIFICATE_KIND:
        raise InvalidRequestError("a key's own certificate request cannot be registered")
    if registration.kind not in KINDS:
        raise InvalidRequestError("this vault signs no request of this kind")


async def _open(key: OpenKey, registration: RequestRegistration) -> None:
    if not key.now_s < registration.expires_at_s <= key.now_s + MAX_TTL_S:
        raise InvalidRequestError("a request expires in the future, within 31 days")
    row = _row(registration)
    await verify_action(key, row)
    await key.transaction.requests.insert(row)
    await key.transaction.record(Event("request", "opened", row.key_id, row.request_id))


def _verify_same(found: RequestRow, registration: RequestRegistration) -> None:
    first = replace(found, state=RequestState.OPEN, items=(), row_version=0)
    if _row(registration) != first:
        raise InvalidRequestError("this request id is taken by another request")


def _row(registration: RequestRegistration) -> RequestRow:
    return RequestRow(
        request_id=registration.request_id,
        key_id=registration.key_id,
        kind=registration.kind,
        request_hash=registration.request_hash,
        file_hashes=registration.file_hashes,
        expires_at_s=registration.expires_at_s,
    )
