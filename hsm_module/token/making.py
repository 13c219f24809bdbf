"""Making one more key in the token while it serves, and pinning it in the manifest."""

from collections.abc import Callable
from pathlib import Path

from hsm_module.ceremony.files import write_public
from hsm_module.token.gate import opening
from hsm_module.token.manifest import Manifest, read_manifest
from hsm_module.token.policy import KeyPolicy
from hsm_module.token.self_test import pin_key, self_test
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite


def make_pinned(
    session: TokenSession,
    site: TokenSite,
    path: Path,
    label: str,
    policy: KeyPolicy,
    check: Callable[[Manifest], None],
) -> Manifest:
    """Make a key in the token and pin it in the manifest; return the manifest as it is then.

    Under the file lock of the token, so that of two processes one makes it; `check` sees the
    manifest of that moment and may refuse. What was killed between the two left a key that nobody
    has pinned, so nobody has used: it is made anew.

    Raises:
        TokenFaultError: the token's folder or the manifest cannot be written.
        SignerError: what `check` raises.
    """
    with opening(site):
        manifest = read_manifest(path)
        check(manifest)
        if label in manifest.keys:
            return manifest
        with session.writable() as writable:
            writable.make_key(label, policy)
            pinned = pin_key(writable, label, policy)
        full = Manifest(token_label=manifest.token_label, keys=manifest.keys | {label: pinned})
        self_test(session, Manifest(token_label=manifest.token_label, keys={label: pinned}))
        write_manifest(path, full)
        return full


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the manifest as a whole.

    Raises:
        OSError: it cannot be written.
    """
    write_public(path, manifest.model_dump_json(indent=2).encode() + b"\n")
