"""The manifest while the vault runs: a key that was made meanwhile is one more line of it."""

from pathlib import Path

import structlog

from hsm_module.token import keks, login_keys
from hsm_module.token.errors import TokenFaultError
from hsm_module.token.manifest import Manifest, PinnedKey, read_manifest
from hsm_module.token.policy import KeyKind
from hsm_module.token.port import KekId, KeyLabel
from hsm_module.token.self_test import self_test
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite

_log = structlog.get_logger(__name__)


class ManifestFile:
    """The file that another process may extend. Mutable: it remembers what it saw last."""

    def __init__(self, site: TokenSite, path: Path) -> None:
        self._site, self._path = site, path
        self._seen: tuple[int, int] | None = None

    def make_kek(self, session: TokenSession, kek_id: KekId) -> None:
        """Make a KEK, on the HSM thread; see `keks.make`."""
        keks.make(session, self._site, self._path, kek_id)

    def make_login_key(self, session: TokenSession, label: KeyLabel) -> None:
        """Make a login key, on the HSM thread; see `login_keys.make`."""
        login_keys.make(session, self._site, self._path, label)

    def follow(self, session: TokenSession, known: Manifest) -> Manifest:
        """Return the manifest as it is now, if it is `known` with more keys that pass the test.

        More KEKs and login keys, that is.

        Anything else is left to the next start, which refuses it: the vault serves on as it was.
        """
        if not self._has_changed():
            return known
        try:
            new = read_manifest(self._path)
            added = {label: key for label, key in new.keys.items() if label not in known.keys}
            may_come = all(_may_come(label, key) for label, key in added.items())
            if may_come and known.keys.items() <= new.keys.items():
                self_test(session, new.model_copy(update={"keys": added}))
                return new
        except TokenFaultError as error:
            _log.warning("token-manifest-ignored", reason=error.fault.value)
        return known

    def _has_changed(self) -> bool:
        try:
            status = self._path.stat()
        except OSError:
            return False
        seen, self._seen = self._seen, (status.st_ino, status.st_mtime_ns)
        return seen != self._seen


def _may_come(label: str, key: PinnedKey) -> bool:
    """Tell whether a key is one of those that are made while vaults serve."""
    return key.policy.kind is KeyKind.KEK or login_keys.is_login_key(label)
