"""`signer-phone renew`."""

from pathlib import Path

import typer
from cryptography import x509

from mobile_share import renewal
from mobile_share.cli.change import renew as renew_shares
from mobile_share.cli.context import Photo, PinStdin, connected, read_photo
from mobile_share.cli.pin_entry import PinEntry
from mobile_share.cli.running import run
from mobile_share.cli.screen import now_utc, progress, say, say_wrong_tries
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.session import Signed
from signer_core.errors import NotFoundError, RefreshNeededError


def renew(context: typer.Context, photo: Photo = None, pin_stdin: PinStdin = False) -> None:
    """Get a new certificate on the same key, from 30 days before the end of this one."""
    run(_renew(context, photo, PinEntry(pin_stdin)))


async def _renew(context: typer.Context, photo_path: Path | None, pins: PinEntry) -> None:
    photo = read_photo(photo_path)
    async with connected(context) as (phone, signer):
        try:  # one that was confirmed, and whose answer was lost
            certificate = await renewal.fetch(phone, signer, now_utc())
        except NotFoundError:
            certificate = await _confirm(phone, signer, photo, pins)
    end = certificate.not_valid_after_utc.astimezone()
    say(f"Your certificate is new: the same key, good until {end:%Y-%m-%d}.")


async def _confirm(
    phone: Phone, signer: SignerClient, photo: bytes, pins: PinEntry
) -> x509.Certificate:
    async def attempt() -> Signed:
        async with renewal.prepare(phone, signer, photo) as prepared:
            digits = pins.ask()
            with progress("Renewing"):
                return await prepared.sign(digits)

    try:
        signed = await pins.until_right(attempt)
    except RefreshNeededError:
        await renew_shares(phone, signer, photo, pins)
        signed = await pins.until_right(attempt)
    say_wrong_tries(signed.wrong_tries)
    return await renewal.fetch(phone, signer, now_utc())
