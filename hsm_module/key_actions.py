"""Requests about a key itself: suspend, revoke, replace (docs/spec/ecdsa2p.md §6).

They sign nothing. Their owner confirms them by the PIN, and the vault acts as it consumes them.
"""

from hmac import compare_digest

from hsm_module.key_transaction import retire, suspend
from hsm_module.storage.rows import KeyRow, RequestRow
from hsm_module.storage.store import Transaction
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.ports import KeyStatus
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash


def find_action(request: RequestRow) -> KeyAction | None:
    """Return what a request does to a key, or None for one that signs something."""
    return KeyAction(request.kind) if request.kind in set(KeyAction) else None


async def verify_action(transaction: Transaction, row: KeyRow, request: RequestRow) -> None:
    """Check a request of the key `row`, if it is about a key: which key, and what was hashed.

    Raises:
        InvalidRequestError: not exactly one key, or another hash than the phone will compute.
        NotFoundError: the person has no such other key.
    """
    action = find_action(request)
    if action is None:
        return
    about = await _find_about(transaction, row, action, request)
    if not compare_digest(request.request_hash, action_hash(action, about)):
        raise InvalidRequestError("the hash is not that of a request about this key")


async def act(transaction: Transaction, row: KeyRow, request: RequestRow) -> None:
    """Save the key's row after a success, and do what the consumed request says."""
    match find_action(request):
        case None:
            await transaction.keys.save(row)
        case KeyAction.SUSPENSION:
            await suspend(transaction, row, "owner")
        case KeyAction.REVOCATION:
            await retire(transaction, row, "owner")
        case KeyAction.REPLACEMENT as action:
            await transaction.keys.save(row)
            about = await _find_about(transaction, row, action, request)
            old, _ = await transaction.keys.get(about)
            if old.status is not KeyStatus.RETIRED:
                await retire(transaction, old, "replaced")


async def _find_about(
    transaction: Transaction, row: KeyRow, action: KeyAction, request: RequestRow
) -> KeyId:
    """Return the key that a request is about: this one, or another one of the same person."""
    candidates = [row.key_id]
    if action is KeyAction.REPLACEMENT:
        candidates = await _others_of_person(transaction, row)
    found = [one for one in candidates if (about_hash(one),) == request.file_hashes]
    if len(found) != 1:
        raise NotFoundError("this person has no such key")
    return found[0]


async def _others_of_person(transaction: Transaction, row: KeyRow) -> list[KeyId]:
    if row.person_mac is None:
        return []
    ids = await transaction.keys.ids_with("person_mac", row.person_mac)
    others = [one for one in ids if one != row.key_id]
    for one in others:
        await transaction.keys.get(one)  # its row, and with it whose it is, is under the MAC
    return others
