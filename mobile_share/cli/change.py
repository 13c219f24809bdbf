"""`signer-phone pin-change` and `signer-phone refresh`."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import typer

from mobile_share import transfer
from mobile_share.certificates import birth_date
from mobile_share.cli.context import Photo, PinStdin, connected, read_photo
from mobile_share.cli.pin_entry import PinEntry, choose_pin
from mobile_share.cli.running import run
from mobile_share.cli.screen import complain, progress, say, say_wrong_tries
from mobile_share.errors import ReplyLostError, WeakPinError
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.session import Signed
from signer_core.errors import ProtocolAbortError, UnavailableError


def pin_change(context: typer.Context, photo: Photo = None, pin_stdin: PinStdin = False) -> None:
    """Choose another PIN; the shares are made anew, key and certificate stay."""
    run(_change(context, photo, _NewPin(PinEntry(pin_stdin), from_stdin=pin_stdin)))


def refresh(context: typer.Context, photo: Photo = None, pin_stdin: PinStdin = False) -> None:
    """Make the shares anew under the same PIN; what was stolen before is worth nothing then."""
    run(_change(context, photo, _SamePin(PinEntry(pin_stdin))))


@dataclass(frozen=True, slots=True)
class _SamePin:
    """The PIN of a refresh."""

    pins: PinEntry
    use: transfer.TransferUse = "refresh"
    done: str = "Your shares are new."

    def choose(self, known_birth_date: date | None) -> str:
        del known_birth_date
        return self.pins.ask()


@dataclass(slots=True)
class _NewPin:
    """The PIN that a person wants from now on, chosen once. Mutable: empty until then."""

    pins: PinEntry
    from_stdin: bool
    use: transfer.TransferUse = "pin-change"
    done: str = "Your PIN is changed."
    _chosen: str = field(default="", repr=False)

    def choose(self, known_birth_date: date | None) -> str:
        """Ask for the new PIN.

        Raises:
            WeakPinError: it is weak, or the old one.
        """
        self._chosen = self._chosen or choose_pin(known_birth_date, from_stdin=self.from_stdin)
        if self._chosen == self.pins.ask():
            raise WeakPinError("the new PIN is the old one: choose another", "old")
        return self._chosen


async def _change(
    context: typer.Context, photo_path: Path | None, wanted: _SamePin | _NewPin
) -> None:
    photo = read_photo(photo_path)
    async with connected(context) as (phone, signer):
        signed = await _make_anew(phone, signer, photo, wanted)
    say(wanted.done)
    say_wrong_tries(signed.wrong_tries)


async def renew(phone: Phone, signer: SignerClient, photo: bytes, pins: PinEntry) -> None:
    """Make the shares anew under the same PIN, because the vault signs nothing before."""
    say("Before you sign, your shares are made anew: the same PIN, the same key.")
    await _make_anew(phone, signer, photo, _SamePin(pins))


async def _make_anew(
    phone: Phone, signer: SignerClient, photo: bytes, wanted: _SamePin | _NewPin
) -> Signed:
    async def make() -> Signed:
        return await _make(phone, signer, photo, wanted)

    signed = await wanted.pins.until_right(make)
    await _finish(phone, signer, photo, wanted.choose(None))
    return signed


async def _make(
    phone: Phone, signer: SignerClient, photo: bytes, wanted: _SamePin | _NewPin
) -> Signed:
    async with transfer.prepare(phone, signer, wanted.use, photo) as prepared:
        if phone.shares.has_next():
            say("An earlier change broke off: if it was of the PIN, the new one is yours now.")
        pin = wanted.pins.ask()
        new_pin = wanted.choose(birth_date(phone.certificate()))
        with progress("Making new shares"):
            return await prepared.make(pin, new_pin)


async def _finish(phone: Phone, signer: SignerClient, photo: bytes, new_pin: str) -> None:
    """Use the new shares; where that breaks off, the next session of any kind does it."""
    try:
        with progress("Erasing the old shares"):
            await transfer.use_first(phone, signer, photo, new_pin)
    except (ReplyLostError, UnavailableError, ProtocolAbortError):
        complain("The old shares are not erased yet: your next signature does that.")
