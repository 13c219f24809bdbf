"""The suspend code: made here, shown once, registered as a hash, kept nowhere on the phone."""

import secrets
from collections.abc import Callable
from typing import Final

from mobile_share.ports import SignerClient
from signer_core.errors import UnavailableError
from signer_core.protocol.suspend_code import make_suspend_code, suspend_code_hash

_TRIES: Final = 3


async def give_suspend_code(signer: SignerClient, show: Callable[[str], None]) -> None:
    """Make a code, show it, and register it.

    Shown first: a code in force that nobody has seen could never be replaced.

    Raises:
        InvalidRequestError: the key has another code already; the one shown is void.
        SignerError: it may not be in force.
    """
    code = make_suspend_code(secrets.choice)
    show(code)
    code_hash = suspend_code_hash(code)
    for _ in range(_TRIES - 1):
        try:
            return await signer.set_suspend_code(code_hash)
        except UnavailableError:
            continue  # the same hash again is harmless
    return await signer.set_suspend_code(code_hash)
