"""What can go wrong on the phone itself; what others report is in `signer_core.errors`.

`str(error)` is one clear sentence for a person. Not subclasses of `SignerError`: none of these
ever crosses the wire.
"""

from typing import Literal


class PhoneError(Exception):
    """Base class."""


class StorageError(PhoneError):
    """The phone's folder cannot be read or written: disk full, read-only, or not ours."""


class NotEnrolledError(PhoneError):
    """There is no share in this folder: enrol first."""


class AlreadyEnrolledError(PhoneError):
    """There is a share in this folder: use another one, or delete this one."""


class FolderInUseError(PhoneError):
    """Another program works with this folder: wait for it."""


class DamagedFileError(PhoneError):
    """A file of the phone is torn, altered, or another phone's: enrol again."""


class UnsupportedVersionError(PhoneError):
    """A file of the phone was written by a newer program: update."""


PinFault = Literal["form", "same", "run", "common", "birth", "old"]


class WeakPinError(PhoneError):
    """The PIN is one of those a thief tries first; the sentence, and `fault` in a word, say why."""

    def __init__(self, message: str, fault: PinFault) -> None:
        super().__init__(message)
        self.fault = fault


class UnansweredSessionsError(PhoneError):
    """64 sessions without one stored answer: another one would look like a copy (§5)."""


class ReplyLostError(PhoneError):
    """The connection broke after step 5: only the vault knows whether it signed; ask for it."""


class UnchangedError(PhoneError):
    """A change of PIN or shares did not reach the vault: everything is as before it."""
