"""Where a token is and what opens it: module, configuration, label, PIN file."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from hsm_module.token.errors import TokenFault, TokenFaultError

MODULE_VARIABLE: Final = "SOFTHSM2_MODULE"
DEBIAN_MODULES: Final[tuple[Path, ...]] = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)


@dataclass(frozen=True, slots=True)
class TokenSite:
    """One token of one PKCS#11 module."""

    module: Path  # shared library
    conf: Path  # what SOFTHSM2_CONF is to name; its folder holds the token and its backup
    label: str  # at most 32 bytes (PKCS#11 CK_TOKEN_INFO)

    @property
    def lock(self) -> Path:
        """The file every opening process locks; the ceremony makes it, readers only open it."""
        return self.conf.parent / "token.lock"

    @property
    def tokens(self) -> Path:
        """The folder SoftHSM keeps the token in."""
        return self.conf.parent / "tokens"

    @property
    def backup(self) -> Path:
        """The folder with the copies of `token.object`."""
        return self.conf.parent / "backup"


def find_module(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the PKCS#11 library: the one given, else $SOFTHSM2_MODULE, else Debian's.

    Raises:
        TokenFaultError: the library is not there.
    """
    candidates = DEBIAN_MODULES
    if MODULE_VARIABLE in environment:
        candidates = (Path(environment[MODULE_VARIABLE]),)
    if given is not None:
        candidates = (given,)
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise TokenFaultError(
        TokenFault.SETTINGS,
        f"no PKCS#11 module at {candidates[0]}: install softhsm2, or name libsofthsm2.so with"
        f" --module or {MODULE_VARIABLE}",
    )


def read_pin(path: Path) -> SecretStr:
    """Read a PIN file: one line, owned by this user, readable by nobody else.

    A systemd credential passes too: it is a file of mode 0400 owned by the service's user.

    Raises:
        TokenFaultError: the file is missing, empty, or others may read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise TokenFaultError(
            TokenFault.SETTINGS, f"the PIN file {path} cannot be read: {error.strerror}"
        ) from None
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        status = os.fstat(file.fileno())
        pin = file.read(256).strip()
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise TokenFaultError(
            TokenFault.SETTINGS, f"the PIN file {path} must be yours alone: mode 0600, your user"
        )
    if not pin:
        raise TokenFaultError(TokenFault.SETTINGS, f"the PIN file {path} is empty")
    return SecretStr(pin)
