"""Whether a key may act now, and a request may be signed: pure rules over checked rows."""

from collections.abc import Sequence
from typing import Final

from hsm_module.storage.rows import KeyRow, RequestRow
from signer_core.errors import (
    BusyError,
    DeniedError,
    InvalidRequestError,
    KeyBlockedError,
    KeyHeldError,
    KeySuspendedError,
    RefreshNeededError,
    RetireShareError,
)
from signer_core.keys.pin_policy import PinPolicy
from signer_core.ports import KeyStatus, RequestState
from signer_core.protocol.ecdsa2p.messages import Item

TRANSFERS: Final = ("refresh", "pin-change")  # uses that end in a new generation, §8


def verify_active(key: KeyRow, policy: PinPolicy, use: str = "sign") -> None:
    """Check that the key can still be used, now or after a wait.

    Raises:
        RetireShareError: it is retired.
        KeySuspendedError: it is suspended.
        DeniedError: it came from a backup, and only a transfer makes it active again.
        KeyBlockedError: its wrong PINs are used up.
    """
    by_officer = key.ended_by == "officer"
    match key.status:
        case KeyStatus.RETIRED:
            who = "an officer revoked this key" if by_officer else "this key is retired for ever"
            raise RetireShareError(f"{who}: enrol again")
        case KeyStatus.SUSPENDED:
            who = "an officer suspended this key" if by_officer else "this key is suspended"
            raise KeySuspendedError(f"{who}, it never signs again: enrol again")
        case KeyStatus.ACTIVE:
            pass
        case _ if use not in TRANSFERS:
            raise DeniedError("this key came from a backup: renew its share, then it signs again")
    if policy.attempts_left(key.failed, key.lifetime_failed) == 0:
        raise KeyBlockedError("too many wrong PINs: this key is blocked for good, enrol again")


def verify_admitted(key: KeyRow, policy: PinPolicy, now_s: int, use: str) -> None:
    """Check that a session of this key may go on: active, not judged elsewhere, not held back.

    Raises:
        RetireShareError, KeySuspendedError, DeniedError, KeyBlockedError: as `verify_active`.
        BusyError: another session of the key is being judged.
        KeyHeldError: a wait after wrong PINs is not over.
    """
    verify_active(key, policy, use)
    if key.judging is not None:
        raise BusyError("another session of this key is being judged: try again in a minute")
    if now_s < key.hold_until_s:
        raise KeyHeldError(key.hold_until_s)


def verify_fresh(
    key: KeyRow, generation: int, request_id: bytes | None, items: Sequence[Item]
) -> None:
    """Check that these shares are not too old to sign with (docs/flows/emergency.md).

    A key's own PKCS#10 makes nothing that anybody could misuse, and goes before its first refresh.

    Raises:
        RefreshNeededError: an officer wants new shares first.
    """
    if not items or request_id == key.key_id or key.refresh_from is None:
        return
    if generation < key.refresh_from:
        raise RefreshNeededError("this key needs new shares before it signs: refresh it")


def verify_open(request: RequestRow, key: KeyRow, now_s: int) -> None:
    """Check that a request is this key's and may still be signed.

    Raises:
        InvalidRequestError: it is another key's, signed already, withdrawn or expired.
        BusyError: it is being judged.
    """
    if request.key_id != key.key_id:
        raise InvalidRequestError("this request is for another key")
    match request.state:
        case RequestState.CONSUMED:
            raise InvalidRequestError("this request was signed already")
        case RequestState.BURNED:
            raise InvalidRequestError("this request was withdrawn")
        case RequestState.RESERVED:
            raise BusyError("this request is being judged: try again in a minute")
        case RequestState.OPEN:
            pass
    if now_s >= request.expires_at_s:
        raise InvalidRequestError("this request has expired")
