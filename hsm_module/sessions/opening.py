"""Step 1 of signing: whether this phone may sign these bytes now (docs/spec/ecdsa2p.md §3)."""

import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest

from hsm_module.admission import verify_active, verify_admitted, verify_fresh, verify_open
from hsm_module.content import verify_items
from hsm_module.context import VaultContext
from hsm_module.epochs import find_generation
from hsm_module.key_actions import verify_action
from hsm_module.key_transaction import OpenKey, key_reading, key_transaction, suspend
from hsm_module.storage.beside import Beside
from hsm_module.storage.known import Known
from hsm_module.storage.rows import Generation, KeyRow, RequestRow
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.store import Store
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    KeySuspendedError,
    NotFoundError,
    VerificationError,
)
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.observe.spans import for_items, timed
from signer_core.ports import KeyStatus
from signer_core.protocol.ecdsa2p.messages import SignRequest
from signer_core.protocol.ecdsa2p.session import check_request
from signer_core.protocol.ecdsa2p.vault.share import VaultShare


@dataclass(frozen=True, slots=True)
class Admitted:
    """A step 1 that passed every check."""

    known: Known = field(repr=False)
    message: SignRequest = field(repr=False)
    share: VaultShare = field(repr=False)

    @property
    def key(self) -> KeyRow:
        """The key's row."""
        return self.known.key.row


@timed("sign.admit")
async def admit(vault: VaultContext, device: DeviceKeyHash, m: SignRequest) -> Admitted:
    """Check step 1, and fetch the share for this one session.

    1. The form.
    2. The channel's device is the key's, and the key can still be used.
    3. The generation is one that the vault accepts; an erased one is a copy's (§5).
    4. The key is not being judged, not held back; its shares are not too old to sign with.
    5. The request is this key's, open, and the one that the phone hashed; or there is none, in a
       session that signs nothing.
    6. The bytes to be signed are what the request names (§6).

    Raises:
        KeySuspendedError: a copy showed itself, now or before.
        SignerError: the typed error of the first that fails; nothing has changed.
    """
    check_request(m)  # 1
    found = None
    beside = Beside(RequestId(m.request_id) if m.request_id else None, m.generation)
    async with key_reading(vault.store, KeyId(m.key_id), beside) as key:
        _verify_device(key.row, device)  # 2
        verify_active(key.row, vault.policy, m.use)
        generation = find_generation(key.row, m.generation)  # 3
        if generation is not None:
            verify_admitted(key.row, vault.policy, key.now_s, m.use)  # 4
            verify_fresh(key.row, m.generation, m.request_id, m.items)
            request = await _find_request(key, m)  # 5
            found = request, await _unwrap_share(vault, key, generation)
    if found is None:
        raise await suspend_copy(vault.store, KeyId(m.key_id))
    if found[0] is not None:
        await for_items(  # 6
            len(m.items), verify_items, m.items, found[0], key.row, vault.now()
        )
    return Admitted(key.known(beside.request_id), m, found[1])


async def suspend_copy(store: Store, key_id: KeyId) -> KeySuspendedError:
    """Suspend a key whose phone was copied (§5), unless it ended otherwise meanwhile."""
    async with key_transaction(store, key_id) as key:
        if key.row.status in (KeyStatus.ACTIVE, KeyStatus.RESTORED):
            await suspend(key.transaction, key.row, "clone")
    return copy_found()


def copy_found() -> KeySuspendedError:
    """Return the answer to whoever showed that a copy exists."""
    return KeySuspendedError("a copy of this phone's data exists: the key is suspended")


def _verify_device(key: KeyRow, device: DeviceKeyHash) -> None:
    if not compare_digest(key.device_key_hash, device):
        raise DeniedError("this key belongs to another phone")


async def _find_request(key: OpenKey, m: SignRequest) -> RequestRow | None:
    if not m.request_id:
        if m.use == "sign" and key.row.next is None:
            raise InvalidRequestError("a session without a request only confirms a new share")
        return None
    request = await key.transaction.requests.get(RequestId(m.request_id))
    verify_open(request, key.row, key.now_s)
    if not compare_digest(request.request_hash, m.request_hash):
        raise VerificationError("what the phone shows is not the request that was registered")
    await verify_action(key, request)
    return request


async def _unwrap_share(vault: VaultContext, key: OpenKey, generation: Generation) -> VaultShare:
    """Return the share of a generation: the record whose hash is in the key's row."""
    key_id, number = key.row.key_id, generation.number
    try:
        sealed = await key.transaction.records.get_share(key_id, number)
        _verify_record(sealed[1], generation.share_sha256)
        record = await vault.records.unwrap("share", key_id, number, sealed)
    except (VerificationError, NotFoundError, TypeError):
        raise AlteredRowError("share_records", key_id) from None
    return VaultShare.from_bytes(record)


def _verify_record(blob: bytes, expected: bytes) -> None:
    if not compare_digest(hashlib.sha256(blob).digest(), expected):
        raise VerificationError("another record than the key's row names")
