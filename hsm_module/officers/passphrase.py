"""Passphrases: typed, or in a file of mode 0600; never on the command line."""

import os
import stat
import sys
from pathlib import Path
from typing import Final

import typer

from hsm_module.officers.errors import KeyFileError, RefusedError
from hsm_module.officers.key_file import Passphrase

MIN_CHARACTERS: Final = 12


def ask_passphrase(file: Path | None) -> Passphrase:
    """Return the passphrase of a key file.

    Raises:
        KeyFileError: the file with it cannot be used.
        RefusedError: there is nobody to ask.
    """
    return _read(file) if file is not None else _typed("Passphrase", again=False)


def choose_passphrase(file: Path | None) -> Passphrase:
    """Return a passphrase for a new key file, at least 12 characters.

    Raises:
        KeyFileError: the file with it cannot be used, or it is too short.
        RefusedError: there is nobody to ask.
    """
    chosen = _read(file) if file is not None else _typed("New passphrase", again=True)
    if len(chosen.text) < MIN_CHARACTERS:
        raise KeyFileError(f"a passphrase has at least {MIN_CHARACTERS} characters")
    return chosen


def _typed(prompt: str, *, again: bool) -> Passphrase:
    if not sys.stdin.isatty():
        raise RefusedError("no terminal to ask for the passphrase: name a --passphrase-file")
    typed = typer.prompt(prompt, hide_input=True, confirmation_prompt=again, err=True)
    return Passphrase(str(typed))


def _read(path: Path) -> Passphrase:
    """Read one line of a file that nobody else can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyFileError(f"the passphrase file {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        status = os.fstat(file.fileno())
        text = file.read(1024).rstrip("\n")
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise KeyFileError(f"the passphrase file {path} must be yours alone: mode 0600, your user")
    if not text:
        raise KeyFileError(f"the passphrase file {path} is empty")
    return Passphrase(text)
