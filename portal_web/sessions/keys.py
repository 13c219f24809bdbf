"""The file with the keys of cookies: one Fernet key a line, the newest first; mode 0600."""

from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

from signer_core.errors import UnavailableError


def read_keys(path: Path) -> MultiFernet:
    """Return what encrypts with the first key and decrypts with any.

    Raises:
        UnavailableError: the file cannot be read, holds no key, or others than its owner may
            read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise UnavailableError(f"others may read {path}: chmod 600 it")
        lines = path.read_text("ascii").split()
        return MultiFernet([Fernet(line) for line in lines])
    except (OSError, ValueError):
        raise UnavailableError(f"{path} holds no keys of cookies: make it anew") from None
