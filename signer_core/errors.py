"""The errors of the project: one class for each reaction of the caller (docs/errors.md).

`str(error)` is safe to show to the peer: no secrets, no identifiers, one clear sentence that
says what to do. `code` is the documented, stable name of the reason.
"""

from typing import ClassVar, Literal

Culprit = Literal["device", "vault"]


class SignerError(Exception):
    """Base class of everything a caller may see."""

    code: ClassVar[str] = "internal"


class InvalidRequestError(SignerError):
    """The request is malformed or not allowed in this state: fix it, do not repeat it."""

    code = "invalid_request"


class DeniedError(SignerError):
    """The caller may not do this."""

    code = "denied"


class PinRejectedError(DeniedError):
    """The PIN was wrong: ask the person again.

    `attempts_left` counts to the final block (at most 9); `hold_until_s` is the Unix time before
    which no attempt is taken, 0 for at once.
    """

    code = "pin_rejected"

    def __init__(self, attempts_left: int, hold_until_s: int = 0) -> None:
        super().__init__(f"wrong PIN, {attempts_left} attempts left")
        self.attempts_left = attempts_left
        self.hold_until_s = hold_until_s


class KeyHeldError(DeniedError):
    """Too many wrong PINs: wait until `hold_until_s` (Unix time, seconds)."""

    code = "key_held"

    def __init__(self, hold_until_s: int) -> None:
        super().__init__("too many wrong PINs: wait, then try again")
        self.hold_until_s = hold_until_s


class KeyBlockedError(DeniedError):
    """The wrong PINs are used up: the key is blocked for good, enrol again."""

    code = "key_blocked"


class KeySuspendedError(DeniedError):
    """The key is suspended: it never signs again, enrol a new one."""

    code = "key_suspended"


class RefreshNeededError(DeniedError):
    """The key signs nothing before its shares are made anew: refresh, then sign again."""

    code = "refresh_needed"


class NotFoundError(SignerError):
    """There is no such thing here: look elsewhere."""

    code = "not_found"


class ProtocolAbortError(SignerError):
    """The run of the protocol is over: start again with a new session.

    `culprit` names the party shown to have cheated, None where nobody is.
    """

    code = "protocol_abort"

    def __init__(self, message: str, culprit: Culprit | None = None) -> None:
        super().__init__(message)
        self.culprit = culprit


class BusyError(ProtocolAbortError):
    """Another session of this key is being judged: start again in a few seconds."""

    code = "busy"


class UnknownGenerationError(ProtocolAbortError):
    """The vault does not know this generation of the share yet: drop that share file."""

    code = "unknown_generation"


class RetireShareError(SignerError):
    """The key is retired for ever: stop using this share, enrol again."""

    code = "retire_share"


class VerificationError(SignerError):
    """Do not trust what was presented."""

    code = "verification"


class UnavailableError(SignerError):
    """A part of the system is away: try again later with the same request id."""

    code = "unavailable"
