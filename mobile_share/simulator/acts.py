"""What a person does with a PIN on the browser phone: one call each, over the device library."""

from dataclasses import dataclass
from datetime import datetime

from mobile_share import key_action, renewal, transfer
from mobile_share.certificates import birth_date
from mobile_share.errors import ReplyLostError, WeakPinError
from mobile_share.phone import Phone
from mobile_share.photo import SANDBOX_PHOTO
from mobile_share.ports import SignerClient
from mobile_share.requests import Request
from mobile_share.signing import Outcome, prepare
from mobile_share.weak_pins import verify_new_pin, verify_pin_form
from signer_core.errors import (
    NotFoundError,
    ProtocolAbortError,
    RefreshNeededError,
    UnavailableError,
)
from signer_core.protocol.key_action import KeyAction


@dataclass(frozen=True, slots=True)
class Done:
    """A signed request."""

    outcome: Outcome
    is_refreshed: bool  # new shares were made before, as the vault wanted


async def sign(phone: Phone, signer: SignerClient, request: Request, pin: str) -> Done:
    """Sign what was shown; raises as `signing.prepare` and `PreparedSignature.sign`."""
    verify_pin_form(pin)
    try:
        return Done(await _sign(phone, signer, request, pin), is_refreshed=False)
    except RefreshNeededError:
        await _make_anew(phone, signer, "refresh", pin, pin)
    return Done(await _sign(phone, signer, request, pin), is_refreshed=True)


async def _sign(phone: Phone, signer: SignerClient, request: Request, pin: str) -> Outcome:
    async with prepare(phone, signer, request, SANDBOX_PHOTO) as prepared:
        return await prepared.sign(pin)


async def change_pin(phone: Phone, signer: SignerClient, pin: str, new_pin: str) -> bool:
    """Change the PIN; tell whether the old shares are erased already.

    Raises:
        WeakPinError: the new one is weak, or the old one.
        UnchangedError, SignerError: the PIN is the old one.
    """
    verify_pin_form(pin)
    verify_new_pin(new_pin, birth_date(phone.certificate()))
    if pin == new_pin:
        raise WeakPinError("the new PIN is the old one: choose another", "old")
    return await _make_anew(phone, signer, "pin-change", pin, new_pin)


async def _make_anew(
    phone: Phone, signer: SignerClient, use: transfer.TransferUse, pin: str, new_pin: str
) -> bool:
    async with transfer.prepare(phone, signer, use, SANDBOX_PHOTO) as prepared:
        await prepared.make(pin, new_pin)
    try:
        await transfer.use_first(phone, signer, SANDBOX_PHOTO, new_pin)
    except (ReplyLostError, UnavailableError, ProtocolAbortError):
        return False  # the next session of any kind does it
    return True


async def renew(phone: Phone, signer: SignerClient, pin: str, now: datetime) -> None:
    """Renew the certificate; raises as `renewal.prepare` and `renewal.fetch`."""
    verify_pin_form(pin)
    try:  # one that was confirmed, and whose answer was lost
        await renewal.fetch(phone, signer, now)
    except NotFoundError:
        async with renewal.prepare(phone, signer, SANDBOX_PHOTO) as prepared:
            await prepared.sign(pin)
        await renewal.fetch(phone, signer, now)


async def suspend(phone: Phone, signer: SignerClient, pin: str) -> None:
    """Suspend this phone's key for good; raises as `key_action.prepare` and `confirm`."""
    verify_pin_form(pin)
    about = phone.shares.load().share.key_id
    action = KeyAction.SUSPENSION
    async with key_action.prepare(phone, signer, action, about, SANDBOX_PHOTO) as prepared:
        await prepared.confirm(pin)
