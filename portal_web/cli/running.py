"""Runs a command's coroutine; turns every error into one sentence and an exit code."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, Final

import typer

from grpc_api.clients.status import RequestStatus
from portal_web.cli.screen import complain, print_json
from signer_core import errors
from signer_core.errors import SignerError

INTERNAL: Final = 1  # a defect; 2 is wrong usage, by Typer


class FolderError(Exception):
    """The output folder cannot be written: read-only, full, or a file of that name is there."""


# The same reaction has the same number in `signer-phone`.
_EXIT_CODES: Final[Mapping[type[Exception], int]] = {
    errors.NotFoundError: 20,
    errors.DeniedError: 21,
    errors.VerificationError: 22,
    errors.InvalidRequestError: 23,
    errors.ProtocolAbortError: 26,
    errors.RetireShareError: 14,
    errors.UnavailableError: 30,
    FolderError: 40,
}
# What became of a request that was waited for.
OUTCOMES: Final[Mapping[RequestStatus, int]] = {
    RequestStatus.CONSUMED: 0,
    RequestStatus.DECLINED: 50,
    RequestStatus.EXPIRED: 51,
    RequestStatus.BURNED: 52,
    RequestStatus.WITHDRAWN: 53,
    RequestStatus.REPLACED: 54,
}


def exit_code(error: Exception) -> int:
    """Return the code of the error's class, or of the nearest class it is a kind of."""
    kinds = [kind for kind in type(error).__mro__ if kind in _EXIT_CODES]
    return _EXIT_CODES[kinds[0]] if kinds else INTERNAL


def run(command: Coroutine[Any, Any, int], *, as_json: bool) -> None:
    """Run a command to its end.

    Raises:
        typer.Exit: with what the command returned, or the error's code.
    """
    try:
        code = asyncio.run(command)
    except (SignerError, FolderError) as error:
        if as_json:
            print_json({"error": str(error), "code": getattr(error, "code", "folder")})
        else:
            complain(str(error))
        code = exit_code(error)
    raise typer.Exit(code)


def hide_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Name a defect without its traceback: that is for developers, not for users."""
    del error, traceback
    interrupted = issubclass(kind, KeyboardInterrupt)
    complain("interrupted" if interrupted else f"internal error ({kind.__name__}): report it")


def install() -> None:
    """Let no traceback reach a user."""
    sys.excepthook = hide_traceback
