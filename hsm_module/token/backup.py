"""A copy of `token.object`, the one file a killed login can empty.

Measured (SoftHSM 2.6.1): `C_Login` rewrites the file in place; `kill -9` at that moment leaves 0
bytes, and with it the token is lost. Its content, apart from counters, changes only with a PIN.
"""

import os
from pathlib import Path

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.site import TokenSite


def save_token_object(site: TokenSite) -> None:
    """Copy `token.object` beside the token; call it when the token was just opened."""
    original = _token_object(site)
    if original is not None and original.stat().st_size:
        site.backup.mkdir(mode=0o700, exist_ok=True)
        _replace(site.backup / original.parent.name, original.read_bytes())


def restore_emptied(site: TokenSite) -> None:
    """Put the copy back if `token.object` has 0 bytes; hold the file lock of the token.

    Raises:
        TokenFaultError: it is empty, and there is no copy or no way to write it back.
    """
    original = _token_object(site)
    if original is None or original.stat().st_size:
        return
    try:
        _replace(original, (site.backup / original.parent.name).read_bytes())
    except OSError as error:
        raise TokenFaultError(
            TokenFault.DAMAGED,
            f"{original} is empty and its copy cannot be put back: {error.strerror}",
        ) from None


def _token_object(site: TokenSite) -> Path | None:
    """Return the only `token.object` of the folder; two are reported when opening."""
    found = list(site.tokens.glob("*/token.object"))
    return found[0] if len(found) == 1 else None


def _replace(path: Path, content: bytes) -> None:
    # the name must not end in .object: SoftHSM would read a half-written one
    draft = path.with_name(".backup.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
