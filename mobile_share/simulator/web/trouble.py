"""What went wrong, in the words of the person's language."""

from dataclasses import dataclass
from typing import Final

from mobile_share.errors import PhoneError, WeakPinError
from mobile_share.simulator.web.texts import Words
from signer_core import errors
from signer_core.errors import KeyHeldError, PinRejectedError, SignerError

# Where the sentence of the error says more than its class does.
_TELLING: Final = (
    errors.NotFoundError,
    errors.VerificationError,
    errors.InvalidRequestError,
    errors.ProtocolAbortError,
    errors.UnavailableError,
)


class PageError(Exception):
    """Something that only these pages can refuse; `key` is the text that says so."""

    def __init__(self, key: str, status: int = 422) -> None:
        super().__init__(key)
        self.key, self.status = key, status


@dataclass(frozen=True, slots=True)
class Trouble:
    """One refusal as a page shows it."""

    text: str
    technical: str = ""  # the error's own English sentence
    hold_until_s: int = 0  # Unix time until which no PIN is taken


def explain(error: Exception, words: Words, now_s: int) -> Trouble:
    """Put an error into words."""
    if isinstance(error, PageError):
        return Trouble(words(error.key))
    if isinstance(error, WeakPinError):
        return Trouble(words(f"error_pin_{error.fault}"))
    if isinstance(error, PinRejectedError | KeyHeldError):
        return _of_pin(error, words, now_s)
    if not isinstance(error, PhoneError | SignerError):
        return Trouble(words("error_internal"))
    told = isinstance(error, _TELLING) or type(error) is errors.DeniedError
    technical = words("technical", text=str(error)) if told else ""
    return Trouble(words(_key_of(error, words)), technical)


def _of_pin(error: PinRejectedError | KeyHeldError, words: Words, now_s: int) -> Trouble:
    hold_until_s = error.hold_until_s if error.hold_until_s > now_s else 0
    time = words.wait(error.hold_until_s - now_s)
    if isinstance(error, KeyHeldError):
        return Trouble(words("error_KeyHeldError", time=time), hold_until_s=hold_until_s)
    key = "error_PinRejectedHold" if hold_until_s else "error_PinRejectedError"
    return Trouble(words(key, attempts=error.attempts_left, time=time), hold_until_s=hold_until_s)


def _key_of(error: Exception, words: Words) -> str:
    """Return the text of the error's class, or of the nearest class it is a kind of."""
    keys = (f"error_{kind.__name__}" for kind in type(error).__mro__)
    return next((key for key in keys if words.has(key)), "error_internal")
