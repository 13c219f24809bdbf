"""Step 1 of signing: whether this phone may sign these bytes now (docs/spec/ecdsa2p.md §3)."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest

from hsm_module.admission import verify_admitted, verify_open
from hsm_module.content import verify_items
from hsm_module.context import VaultContext
from hsm_module.key_transaction import OpenKey, key_reading
from hsm_module.storage.rows import KeyRow, RequestRow
from hsm_module.storage.sealing import AlteredRowError
from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    UnknownGenerationError,
    VerificationError,
)
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.protocol.ecdsa2p.messages import SignRequest
from signer_core.protocol.ecdsa2p.session import check_request
from signer_core.protocol.ecdsa2p.vault.share import VaultShare


@dataclass(frozen=True, slots=True)
class Admitted:
    """A step 1 that passed every check."""

    key: KeyRow
    message: SignRequest = field(repr=False)
    share: VaultShare = field(repr=False)


async def admit(vault: VaultContext, device: DeviceKeyHash, m: SignRequest) -> Admitted:
    """Check step 1, and fetch the share for this one session.

    1. The form; this issue of the vault signs, and does nothing else.
    2. The channel's device is the key's; the generation is known.
    3. The key is active, not being judged, not held back.
    4. The request is this key's, open, and the one that the phone hashed.
    5. The bytes to be signed are what the request names (§6).

    Raises:
        SignerError: the typed error of the first that fails; nothing has changed.
    """
    check_request(m)  # 1
    if m.use != "sign":
        raise InvalidRequestError("this vault does not change shares")
    async with key_reading(vault.store, KeyId(m.key_id)) as key:
        _verify_device(key.row, device, m.generation)  # 2
        verify_admitted(key.row, vault.policy, key.now_s)  # 3
        request = await key.transaction.requests.get(RequestId(m.request_id))
        verify_open(request, key.row, key.now_s)  # 4
        _verify_hash(request, m.request_hash)
        share = await _unwrap_share(vault, key)
    await asyncio.to_thread(verify_items, m.items, request, key.row)  # 5
    return Admitted(key.row, m, share)


def _verify_device(key: KeyRow, device: DeviceKeyHash, generation: int) -> None:
    if not compare_digest(key.device_key_hash, device):
        raise DeniedError("this key belongs to another phone")
    if generation != key.generation:
        raise UnknownGenerationError("the vault does not know this generation of the share")


def _verify_hash(request: RequestRow, request_hash: bytes) -> None:
    if not compare_digest(request.request_hash, request_hash):
        raise VerificationError("what the phone shows is not the request that was registered")


async def _unwrap_share(vault: VaultContext, key: OpenKey) -> VaultShare:
    """Return the share of the key's generation: the record whose hash is in the key's row."""
    row = key.row
    try:
        sealed = await key.transaction.records.get_share(row.key_id, row.generation)
        _verify_record(sealed[1], row.share_sha256)
        record = await vault.records.unwrap("share", row.key_id, row.generation, sealed)
    except (VerificationError, NotFoundError, TypeError):
        raise AlteredRowError("share_records", row.key_id) from None
    return VaultShare.from_bytes(record)


def _verify_record(blob: bytes, expected: bytes) -> None:
    if not compare_digest(hashlib.sha256(blob).digest(), expected):
        raise VerificationError("another record than the key's row names")
