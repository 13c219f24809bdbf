"""Exit codes of `signer-phone`, one for each reaction of a caller (docs/flows/sign-pdf.md)."""

from collections.abc import Mapping
from typing import Final

from mobile_share import errors as phone
from signer_core import errors as core

INTERNAL: Final = 1  # a defect; 2 is wrong usage, by Typer

EXIT_CODES: Final[Mapping[type[Exception], int]] = {
    phone.NotEnrolledError: 3,
    phone.AlreadyEnrolledError: 4,
    phone.WeakPinError: 5,
    core.PinRejectedError: 10,
    core.KeyHeldError: 11,
    core.KeyBlockedError: 12,
    core.KeySuspendedError: 13,
    core.RetireShareError: 14,
    phone.UnansweredSessionsError: 15,
    core.RefreshNeededError: 16,
    core.NotFoundError: 20,
    core.DeniedError: 21,
    core.VerificationError: 22,
    core.InvalidRequestError: 23,
    core.BusyError: 24,
    core.UnknownGenerationError: 25,
    core.ProtocolAbortError: 26,
    phone.ReplyLostError: 27,
    phone.UnchangedError: 28,
    core.UnavailableError: 30,
    phone.StorageError: 40,
    phone.FolderInUseError: 41,
    phone.DamagedFileError: 42,
    phone.UnsupportedVersionError: 43,
    core.SignerError: INTERNAL,
}


def exit_code(error: Exception) -> int:
    """Return the code of the error's class, or of the nearest class it is a kind of."""
    kinds = (kind for kind in type(error).__mro__ if kind in EXIT_CODES)
    return EXIT_CODES.get(next(kinds, core.SignerError), INTERNAL)
