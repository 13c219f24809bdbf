"""Keys that go while the vault serves: taken out of use, then destroyed.

Each step is under the file lock of the token and can be repeated, whatever died in between: a key
is in use if, and only if, the manifest names it.
"""

from pathlib import Path

from hsm_module.token import making
from hsm_module.token.gate import opening
from hsm_module.token.manifest import read_manifest
from hsm_module.token.policy import KeyPolicy
from hsm_module.token.self_test import pin_key
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite
from signer_core.errors import InvalidRequestError


def pin_again(
    session: TokenSession, site: TokenSite, path: Path, label: str, policy: KeyPolicy
) -> None:
    """Take an `unpin` back, if the key is in the token still."""
    with opening(site):
        manifest = read_manifest(path)
        if label not in manifest.keys and session.has_key(label, policy.kind):
            pinned = pin_key(session, label, policy)
            keys = {**manifest.keys, label: pinned}
            making.write_manifest(path, manifest.model_copy(update={"keys": keys}))


def unpin(site: TokenSite, path: Path, label: str) -> None:
    """Take a key out of the manifest: from its next call on no process uses it."""
    with opening(site):
        manifest = read_manifest(path)
        left = {name: key for name, key in manifest.keys.items() if name != label}
        making.write_manifest(path, manifest.model_copy(update={"keys": left}))


def destroy(session: TokenSession, site: TokenSite, path: Path, label: str) -> None:
    """Destroy a key that is not pinned any more; harmless if it is gone.

    Raises:
        InvalidRequestError: it is pinned.
    """
    with opening(site):
        if label in read_manifest(path).keys:
            raise InvalidRequestError(f"the key {label} is in use")
        with session.writable() as writable:
            writable.destroy_key(label)
