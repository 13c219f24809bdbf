"""Runs a command's coroutine; turns every error into one sentence and an exit code."""

import asyncio
import sys
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

import typer

from mobile_share.cli.exit_codes import exit_code
from mobile_share.cli.screen import complain, now_utc, sentence
from mobile_share.errors import PhoneError
from signer_core.errors import SignerError


def run(command: Coroutine[Any, Any, None]) -> None:
    """Run a command to its end.

    Raises:
        typer.Exit: with the code of `exit_codes`; the sentence is on standard error.
    """
    try:
        asyncio.run(command)
    except (PhoneError, SignerError) as error:
        complain(sentence(error, int(now_utc().timestamp())))
        raise typer.Exit(exit_code(error)) from None


def hide_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Name a defect without its traceback, whose lines may hold a PIN or a share."""
    if issubclass(kind, KeyboardInterrupt):
        complain("Interrupted.")
        return
    del error, traceback
    complain(f"Internal error ({kind.__name__}): please report it.")


def install() -> None:
    """Let no traceback reach a person; Python's exit code stays 1."""
    sys.excepthook = hide_traceback
