"""Opening a token: under the file lock, exactly one of the label, logged in once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pkcs11
from pkcs11.exceptions import NoSuchToken, PinIncorrect, PKCS11Error
from pydantic import SecretStr

from hsm_module.token import backup, gate, keys
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite


@contextmanager
def open_token(
    site: TokenSite, pin: SecretStr, *, writable: bool = False
) -> Iterator[TokenSession]:
    """Open the token for the calling thread, and close it at the end.

    Raises:
        TokenFaultError: it is missing, damaged, ambiguous, or the PIN is wrong.
    """
    gate.enter_process_gate()
    try:
        library, session = _open(site, pin, writable)
        try:
            yield TokenSession(session)
        finally:
            _close(library, session)
    finally:
        gate.leave_process_gate()


def _open(site: TokenSite, pin: SecretStr, writable: bool) -> tuple[Any, Any]:
    with gate.opening(site):
        backup.restore_emptied(site)
        library = _load(site)
        try:
            return library, _log_in(site, _only_token(library, site), pin, writable)
        except BaseException:
            library.finalize()
            raise


def _load(site: TokenSite) -> Any:
    if not site.tokens.is_dir():
        raise TokenFaultError(TokenFault.MISSING, f"no token at {site.tokens}: run the ceremony")
    if len(list(site.tokens.glob("*/token.object"))) > 1:
        # Measured: two copies of one token make C_Initialize abort the whole process
        raise TokenFaultError(
            TokenFault.AMBIGUOUS, f"two tokens at {site.tokens}: there must be one"
        )
    try:
        return pkcs11.lib(str(site.module))
    except PKCS11Error:
        raise TokenFaultError(
            TokenFault.SETTINGS, f"{site.module} cannot be started as a PKCS#11 module"
        ) from None


def _only_token(library: Any, site: TokenSite) -> Any:
    try:
        found = list(library.get_tokens(token_label=site.label))
    except PKCS11Error:
        found = []
    if len(found) > 1:
        raise TokenFaultError(
            TokenFault.AMBIGUOUS, f"{len(found)} tokens are named {site.label!r}: there must be one"
        )
    if found:
        return found[0]
    if any(site.tokens.glob("*/*.object")):
        raise TokenFaultError(
            TokenFault.DAMAGED, f"the token at {site.tokens} is damaged: restore it from a backup"
        )
    raise TokenFaultError(
        TokenFault.MISSING, f"no token named {site.label!r} at {site.tokens}: run the ceremony"
    )


def _log_in(site: TokenSite, token: Any, pin: SecretStr, writable: bool) -> Any:
    try:
        return token.open(
            rw=writable,
            user_pin=pin.get_secret_value(),
            attribute_mapper=keys.attribute_mapper(),
        )
    except PinIncorrect:
        raise TokenFaultError(
            TokenFault.PIN_WRONG, f"the PIN of token {site.label!r} is wrong"
        ) from None
    except (NoSuchToken, PKCS11Error) as error:
        raise TokenFaultError(
            TokenFault.DAMAGED,
            f"token {site.label!r} cannot be logged in to: {type(error).__name__}",
        ) from None


def _close(library: Any, session: Any) -> None:
    try:
        session.close()
    except PKCS11Error:
        pass  # a dead token cannot be closed; finalizing below frees it
    finally:
        library.finalize()
