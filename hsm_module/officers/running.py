"""Runs a command's coroutine; turns every error into one sentence and an exit code."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, TypeVar

import typer

from hsm_module.officers.errors import FileError, KeyFileError, OfficerError, RefusedError
from hsm_module.officers.screen import complain, print_json
from signer_core import errors
from signer_core.errors import SignerError, UnavailableError

OK: Final = 0
INTERNAL: Final = 1  # a defect; 2 is wrong usage, by Typer
PARTLY: Final = 70  # some keys of a batch could not be done
INTERRUPTED: Final = 130
PATIENCE_S: Final = 60.0  # a process that died is back within seconds
_PAUSE_S: Final = 0.5

# docs/officers.md; the same reaction has the same number in `signer` and `signer-phone`.
EXIT_CODES: Final[Mapping[type[Exception], int]] = {
    errors.RetireShareError: 14,
    errors.NotFoundError: 20,
    errors.DeniedError: 21,
    errors.VerificationError: 22,
    errors.InvalidRequestError: 23,
    errors.ProtocolAbortError: 26,
    errors.UnavailableError: 30,
    KeyFileError: 31,
    RefusedError: 32,
    FileError: 40,
}

T = TypeVar("T")


def exit_code(error: Exception) -> int:
    """Return the code of the error's class, or of the nearest class it is a kind of."""
    kinds = [kind for kind in type(error).__mro__ if kind in EXIT_CODES]
    return EXIT_CODES[kinds[0]] if kinds else INTERNAL


def run(command: Callable[[], Coroutine[Any, Any, int]], *, as_json: bool) -> None:
    """Run a command to its end; what it asks of the officer is asked before anything runs.

    Raises:
        typer.Exit: with what the command returned, or the error's code.
    """
    try:
        code = asyncio.run(command())
    except (SignerError, OfficerError) as error:
        report(error, as_json=as_json)
        code = exit_code(error)
    except KeyboardInterrupt:
        complain("interrupted; what was done stays done, repeat the command to go on")
        code = INTERRUPTED
    raise typer.Exit(code)


def report(error: Exception, *, as_json: bool) -> None:
    """Say what went wrong, in one line or as JSON."""
    if as_json:
        print_json({"error": str(error), "exit_code": exit_code(error)})
    else:
        complain(str(error))


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while a process is away, for a minute; for what may be repeated.

    Raises:
        UnavailableError: it stays away.
        SignerError: any other answer.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while True:
        try:
            return await ask()
        except UnavailableError:
            if loop.time() >= until:
                raise
        await asyncio.sleep(_PAUSE_S)


def hide_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Name a defect without its traceback: that is for developers, not for officers."""
    del error, traceback
    complain(f"internal error ({kind.__name__}): report it")


def install() -> None:
    """Let no traceback reach an officer."""
    sys.excepthook = hide_traceback
