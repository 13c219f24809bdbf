"""Make an empty token with both PINs: the two PKCS#11 calls that python-pkcs11 lacks.

`softhsm2-util` could do it too, but takes its PINs from the command line, where every user of the
machine can read them.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import SecretStr

from hsm_module.token import gate
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.site import TokenSite

_RW_SERIAL_SESSION: Final = 0x00000006  # CKF_RW_SESSION | CKF_SERIAL_SESSION
_SO: Final = 0  # CKU_SO
_LABEL_BYTES: Final = 32  # blank-padded


def initialise_token(site: TokenSite, so_pin: SecretStr, user_pin: SecretStr) -> None:
    """Initialise the one slot of an empty token folder, set the user's PIN.

    Raises:
        TokenFaultError: the folder holds a token already, or the module refuses.
    """
    gate.enter_process_gate()
    try:
        with gate.opening(site), _module(site) as module:
            _initialise(module, site.label, _bytes(so_pin), _bytes(user_pin))
    finally:
        gate.leave_process_gate()


@contextmanager
def _module(site: TokenSite) -> Iterator[ctypes.CDLL]:
    try:
        module = ctypes.CDLL(str(site.module))
    except OSError:
        raise TokenFaultError(
            TokenFault.SETTINGS, f"{site.module} cannot be loaded as a PKCS#11 module"
        ) from None
    _call(module, "C_Initialize", None)
    try:
        yield module
    finally:
        _call(module, "C_Finalize", None)


def _initialise(module: ctypes.CDLL, label: str, so_pin: bytes, user_pin: bytes) -> None:
    slot = ctypes.c_ulong(_only_slot(module))
    padded = label.encode().ljust(_LABEL_BYTES)
    _call(module, "C_InitToken", slot, so_pin, ctypes.c_ulong(len(so_pin)), padded)
    session = ctypes.c_ulong()
    flags = ctypes.c_ulong(_RW_SERIAL_SESSION)
    _call(module, "C_OpenSession", slot, flags, None, None, ctypes.byref(session))
    role = ctypes.c_ulong(_SO)
    _call(module, "C_Login", session, role, so_pin, ctypes.c_ulong(len(so_pin)))
    _call(module, "C_InitPIN", session, user_pin, ctypes.c_ulong(len(user_pin)))
    _call(module, "C_Logout", session)
    _call(module, "C_CloseSession", session)


def _only_slot(module: ctypes.CDLL) -> int:
    """Return the slot of an empty SoftHSM; with a token there would be two."""
    count = ctypes.c_ulong()
    present = ctypes.c_ubyte(0)
    _call(module, "C_GetSlotList", present, None, ctypes.byref(count))
    if count.value != 1:
        raise TokenFaultError(TokenFault.AMBIGUOUS, "the folder for a new token is not empty")
    slots = (ctypes.c_ulong * 1)()
    _call(module, "C_GetSlotList", present, slots, ctypes.byref(count))
    return int(slots[0])


def _call(module: ctypes.CDLL, name: str, *arguments: object) -> None:
    function = getattr(module, name)
    function.restype = ctypes.c_ulong
    result = function(*arguments)
    if result != 0:  # CKR_OK
        raise TokenFaultError(
            TokenFault.DAMAGED, f"making the token failed at {name} with PKCS#11 error {result:#x}"
        )


def _bytes(pin: SecretStr) -> bytes:
    return pin.get_secret_value().encode()
