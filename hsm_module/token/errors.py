"""How a token fails, and what the person at the machine should do about it."""

from enum import Enum

from signer_core.errors import UnavailableError


class TokenFault(Enum):
    """Why the token cannot serve; the value names it in logs and in tests."""

    SETTINGS = "settings"  # module, configuration or PIN file cannot be used
    MISSING = "missing"  # no token of that label, or no manifest
    PIN_WRONG = "pin-wrong"
    DAMAGED = "damaged"  # there, but not usable
    AMBIGUOUS = "ambiguous"  # two tokens or two keys where there must be one
    KEY_MISSING = "key-missing"
    KEY_ALTERED = "key-altered"  # a key is not the one pinned at the ceremony
    GONE = "gone"  # served, and stopped to
    MISUSED = "misused"  # called from another thread or process than the one that opened it


class TokenFaultError(UnavailableError):
    """The token cannot serve, for good: exit non-zero, let the supervisor start again.

    The message is one sentence for the person who runs the machine; at the wire it is the
    `unavailable` of its base class.
    """

    def __init__(self, fault: TokenFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
