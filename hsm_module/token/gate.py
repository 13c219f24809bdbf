"""One token a process at a time, and one process at a time while it opens.

Measured (SoftHSM 2.6.1): python-pkcs11 switches SoftHSM's mutexes off, so two threads with a
session each end in a crash; and `C_Login` rewrites `token.object` in place, so two processes
logging in at once can see a missing token.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.site import TokenSite

_process_gate = threading.Lock()


def enter_process_gate() -> None:
    """Take the one place for an open token; give it back with `leave_process_gate`.

    Raises:
        TokenFaultError: this process has a token open already.
    """
    if not _process_gate.acquire(blocking=False):
        raise TokenFaultError(TokenFault.MISUSED, "this process has a token open already")


def leave_process_gate() -> None:
    """Give the place back: the module must be finalized by now."""
    _process_gate.release()


@contextmanager
def opening(site: TokenSite) -> Iterator[None]:
    """Hold the file lock of the token and point SoftHSM at it, for init, open and login.

    Raises:
        TokenFaultError: there is no token at this place.
    """
    try:
        descriptor = os.open(site.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise TokenFaultError(
            TokenFault.MISSING,
            f"no token at {site.conf.parent}: {error.strerror}; run the ceremony",
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # SoftHSM reads its configuration's path from nowhere else
        os.environ["SOFTHSM2_CONF"] = str(site.conf)
        yield
    finally:
        os.close(descriptor)
