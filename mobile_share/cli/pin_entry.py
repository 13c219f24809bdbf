"""How a PIN comes in: a hidden prompt, or standard input for scripts of developers."""

import sys
from datetime import date
from typing import Final

import typer

from mobile_share.cli.screen import complain
from mobile_share.errors import WeakPinError
from mobile_share.weak_pins import verify_new_pin

_MAX_LINE: Final = 64


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
