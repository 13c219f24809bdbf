"""Errors across a wire, both ways: a `Failure` names one by its code (docs/errors.md).

The same record travels inside the channel of a phone and, as trailing metadata, on gRPC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signer_core import errors
from signer_core.errors import KeyHeldError, PinRejectedError, SignerError

MAX_CODE_CHARACTERS = 64
MAX_MESSAGE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Vault to device: the session is over, and why. The end of the channel follows."""

    code: str  # of signer_core.errors, at most 64 characters
    message: str  # one sentence for a person, at most 500 characters
    attempts_left: int = 0  # with pin_rejected: before the final block
    hold_until_s: int = 0  # with pin_rejected, key_held: Unix time, 0 for at once


def failure_of(error: SignerError) -> Failure:
    """Describe an error to the peer."""
    return Failure(
        code=error.code,
        message=str(error)[:MAX_MESSAGE_CHARACTERS],
        attempts_left=error.attempts_left if isinstance(error, PinRejectedError) else 0,
        hold_until_s=(
            error.hold_until_s if isinstance(error, PinRejectedError | KeyHeldError) else 0
        ),
    )


def error_of(failure: Failure) -> SignerError:
    """Return the typed error that a failure names; an unknown code gives the base class."""
    make = ERRORS.get(failure.code)
    return SignerError(failure.message) if make is None else make(failure)


def _said(kind: type[SignerError]) -> Callable[[Failure], SignerError]:
    return lambda failure: kind(failure.message)


ERRORS: Mapping[str, Callable[[Failure], SignerError]] = {
    **{
        kind.code: _said(kind)
        for kind in (
            errors.SignerError,
            errors.InvalidRequestError,
            errors.DeniedError,
            errors.KeyBlockedError,
            errors.KeySuspendedError,
            errors.RefreshNeededError,
            errors.NotFoundError,
            errors.ProtocolAbortError,
            errors.BusyError,
            errors.UnknownGenerationError,
            errors.RetireShareError,
            errors.VerificationError,
            errors.UnavailableError,
        )
    },
    PinRejectedError.code: lambda said: PinRejectedError(said.attempts_left, said.hold_until_s),
    KeyHeldError.code: lambda said: KeyHeldError(said.hold_until_s),
}
