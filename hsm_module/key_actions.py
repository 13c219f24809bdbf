"""Requests about a key itself: suspend, revoke, replace, renew (docs/spec/ecdsa2p.md §6).

They sign nothing, but for a renewal's PKCS#10. Their owner confirms them by the PIN, and the vault
acts as it consumes them; a renewed certificate is issued afterwards (`hsm_module.renewal`).
"""

from hmac import compare_digest

from hsm_module.key_transaction import OpenKey, retire, suspend
from hsm_module.storage.rows import KeyRow, RequestRow
from hsm_module.storage.transaction import Transaction
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.pki.status import Status
from signer_core.ports import KeyStatus
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash
from signer_core.protocol.renewal import utc, verify_due


def find_action(request: RequestRow) -> KeyAction | None:
    """Return what a request does to a key, or None for one that signs something."""
    return KeyAction(request.kind) if request.kind in set(KeyAction) else None


async def verify_action(key: OpenKey, request: RequestRow) -> None:
    """Check a request of the open key, if it is about a key: which key, and what was hashed.

    Raises:
        InvalidRequestError: not exactly one key, another hash than the phone will compute, or a
            certificate that is not to be renewed yet.
        NotFoundError: the person has no such other key, or the certificate has run out.
        DeniedError: a certificate that is not good is not renewed.
    """
    action = find_action(request)
    if action is None:
        return
    about = await _find_about(key.transaction, key.row, action, request)
    if not compare_digest(request.request_hash, action_hash(action, about, _renewed(key, action))):
        raise InvalidRequestError("the hash is not that of a request about this key")
    if action is KeyAction.RENEWAL:
        await verify_renewable(key)


async def verify_renewable(key: OpenKey) -> None:
    """Check that the certificate in force, the last to end, is good and near its end.

    Raises:
        NotFoundError: there is none, or it has run out.
        DeniedError: it is suspended or revoked.
        InvalidRequestError: it is good for more than 30 days.
    """
    rows = await key.transaction.statuses.of_key(key.row.key_id)
    last = max(
        (one for one in rows if one.kind == "citizen"),
        key=lambda one: one.not_after_s,
        default=None,
    )
    if last is None:
        raise NotFoundError("this key has no certificate yet")
    if last.status is not Status.GOOD:
        raise DeniedError("a suspended or revoked certificate is not renewed: enrol again")
    verify_due(utc(last.not_after_s), utc(key.now_s))


async def act(transaction: Transaction, row: KeyRow, request: RequestRow) -> None:
    """Save the key's row after a success, and do what the consumed request says."""
    match find_action(request):
        case None | KeyAction.RENEWAL:
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
    if action is KeyAction.RENEWAL:
        if row.certificate_sha256 is None:
            raise NotFoundError("this key has no certificate yet")
        if request.file_hashes != (about_hash(row.key_id, row.certificate_sha256),):
            raise InvalidRequestError("this request is about another certificate of this key")
        return row.key_id
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


def _renewed(key: OpenKey, action: KeyAction) -> bytes:
    """Return what a renewal is of: the SHA-256 of the certificate in force."""
    return (key.row.certificate_sha256 or b"") if action is KeyAction.RENEWAL else b""
