"""How a PIN comes in: a hidden prompt, or standard input for scripts of developers."""

import sys
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, TypeVar

import typer

from mobile_share.cli.screen import complain, now_utc, sentence
from mobile_share.errors import WeakPinError
from mobile_share.weak_pins import verify_new_pin
from signer_core.errors import PinRejectedError

_MAX_LINE: Final = 64

T = TypeVar("T")


class PinEntry:
    """The PIN, asked for when it is first needed. Mutable: empty until then."""

    def __init__(self, from_stdin: bool) -> None:
        self._from_stdin = from_stdin
        self._digits = ""

    def ask(self) -> str:
        """Return the PIN; ask for it the first time."""
        self._digits = self._digits or ask_pin(from_stdin=self._from_stdin)
        return self._digits

    async def until_right(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run an attempt; after a wrong PIN ask for another one and run it anew.

        Raises:
            PinRejectedError: nobody is there to ask, or there is a wait before the next attempt.
        """
        while True:
            try:
                return await attempt()
            except PinRejectedError as error:
                if not self._may_ask_again(error):
                    raise
                complain(sentence(error, 0))
                self._digits = ""

    def _may_ask_again(self, error: PinRejectedError) -> bool:
        waits = error.hold_until_s > now_utc().timestamp()
        return at_terminal() and not (self._from_stdin or waits or error.attempts_left == 0)


def at_terminal() -> bool:
    """Tell whether a person is there to be asked."""
    return sys.stdin.isatty()


def ask_pin(*, from_stdin: bool) -> str:
    """Ask for the PIN."""
    if from_stdin:
        return sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    return _hidden("PIN")


def choose_pin(birth_date: date | None, *, from_stdin: bool) -> str:
    """Ask for a new PIN, twice at a prompt; a weak one is refused with the reason.

    Raises:
        WeakPinError: from standard input there is no second try.
    """
    if from_stdin:
        pin = ask_pin(from_stdin=True)
        verify_new_pin(pin, birth_date)
        return pin
    while True:
        pin = _hidden("Choose a PIN of 5 digits")
        try:
            verify_new_pin(pin, birth_date)
        except WeakPinError as error:
            complain(str(error))
            continue
        if pin == _hidden("The same PIN again"):
            return pin
        complain("These were two different PINs.")


def _hidden(prompt: str) -> str:
    return str(typer.prompt(prompt, hide_input=True, err=True))
