"""The manifest while the vault runs: KEKs, seals' and login keys may come, some may go."""

import re
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Final

import structlog

from hsm_module.token import keks, login_keys, pinning
from hsm_module.token.errors import TokenFaultError
from hsm_module.token.making import make_pinned
from hsm_module.token.manifest import Manifest, PinnedKey, read_manifest
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KekId, KeyLabel
from hsm_module.token.self_test import self_test
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite
from signer_core.errors import InvalidRequestError

SEAL: Final = KeyPolicy(kind=KeyKind.SIGNING, mechanism="ECDSA", bits=256, uses=("sign", "verify"))
_SEAL_LABEL: Final = re.compile(r"seal-[a-z0-9][a-z0-9-]{0,57}")

_log = structlog.get_logger(__name__)


def check_seal_label(label: str) -> None:
    """Check that a label is that of a seal's key.

    Raises:
        InvalidRequestError: it is not.
    """
    if _SEAL_LABEL.fullmatch(label) is None:
        raise InvalidRequestError("a seal's key is named seal- and the seal's name")


def check_passing(label: str, known: Manifest) -> None:
    """Check that a key may go while the vault serves: a seal's, or a KEK before the newest.

    Raises:
        InvalidRequestError: it may not.
    """
    if _SEAL_LABEL.fullmatch(label) is None:
        keks.check_older(KekId(label), keks.newest(known.of_kind(KeyKind.KEK)))


def _is_successor(
    known: Manifest, new: Manifest, gone: Set[str], added: Mapping[str, PinnedKey]
) -> bool:
    """Tell whether only such keys came and went as may, and all that stay are the same."""
    same = all(new.keys[label] == key for label, key in known.keys.items() if label not in gone)
    came = all(_may_come(label, key) for label, key in added.items())
    keks_left = new.of_kind(KeyKind.KEK)
    went = all(keks.is_outlived(one, keks_left) or _SEAL_LABEL.fullmatch(one) for one in gone)
    return same and came and went


def _may_come(label: str, key: PinnedKey) -> bool:
    """Tell whether a key is one of those that are made while vaults serve."""
    if keks.is_kek(label):
        return key.policy.kind is KeyKind.KEK
    return login_keys.is_login_key(label) or _is_seal(label, key)


def _is_seal(label: str, key: PinnedKey) -> bool:
    return _SEAL_LABEL.fullmatch(label) is not None and key.policy == SEAL


class ManifestFile:
    """The file that another process may extend. Mutable: it remembers what it saw last."""

    def __init__(self, site: TokenSite, path: Path) -> None:
        self._site, self._path = site, path
        self._seen: tuple[int, int] | None = None

    def make_kek(self, session: TokenSession, kek_id: KekId) -> None:
        """Make a KEK, in a turn of the token; see `keks.make`."""
        keks.make(session, self._site, self._path, kek_id)

    def make_login_key(self, session: TokenSession, label: KeyLabel) -> None:
        """Make a login key, in a turn of the token; see `login_keys.make`."""
        login_keys.make(session, self._site, self._path, label)

    def make_seal_key(self, session: TokenSession, label: KeyLabel) -> None:
        """Make a seal's key; see `making.make_pinned`."""
        check_seal_label(label)
        make_pinned(session, self._site, self._path, label, SEAL, lambda _manifest: None)

    def unpin(self, known: Manifest, label: str) -> None:
        """Take a key out of use; see `pinning.unpin`."""
        check_passing(label, known)
        pinning.unpin(self._site, self._path, label)

    def pin_again(self, session: TokenSession, kek_id: KekId) -> None:
        """Take a KEK into use again; see `pinning.pin_again`."""
        pinning.pin_again(session, self._site, self._path, kek_id, keks.KEK)

    def destroy(self, session: TokenSession, label: str) -> None:
        """Destroy a key that is out of use; see `pinning.destroy`."""
        pinning.destroy(session, self._site, self._path, label)

    def follow(self, session: TokenSession, known: Manifest) -> Manifest:
        """Return the manifest as it is now, if it is `known` but for keys that come and go.

        Those that came have passed the test.

        Anything else is left to the next start, which refuses it: the vault serves on as it was.
        """
        if not self._has_changed():
            return known
        try:
            new = read_manifest(self._path)
            added = {label: key for label, key in new.keys.items() if label not in known.keys}
            gone = known.keys.keys() - new.keys.keys()
            if _is_successor(known, new, gone, added):
                self_test(session, new.model_copy(update={"keys": added}))
                for label in gone:
                    session.forget(label)
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
