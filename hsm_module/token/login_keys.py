"""The keys that sign ID tokens: `login-1`, `login-2`, ..., one after another."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hsm_module.token.making import make_pinned
from hsm_module.token.manifest import Manifest
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KeyLabel
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite
from signer_core.errors import InvalidRequestError

POLICY: Final = KeyPolicy(
    kind=KeyKind.SIGNING, mechanism="ECDSA", bits=256, uses=("sign", "verify")
)
_LABEL: Final = re.compile(r"login-([1-9][0-9]{0,5})")


def is_login_key(label: str) -> bool:
    """Tell whether a key of this label signs ID tokens."""
    return _LABEL.fullmatch(label) is not None


def in_order(labels: Iterable[str]) -> list[KeyLabel]:
    """Return those that are login keys, the oldest first."""
    return [KeyLabel(label) for label in sorted(filter(is_login_key, labels), key=_number)]


def after(label: KeyLabel) -> KeyLabel:
    """Return the label of the key that follows."""
    return KeyLabel(f"login-{_number(label) + 1}")


def check_next(label: KeyLabel, known: Iterable[str]) -> None:
    """Check that a key to be made is the one after the newest, or was just made.

    Raises:
        InvalidRequestError: it is another one.
    """
    there = in_order(known)
    expected = after(there[-1]) if there else KeyLabel("login-1")
    if label not in (*there[-1:], expected):
        raise InvalidRequestError(f"the next login key is {expected}")


def make(session: TokenSession, site: TokenSite, path: Path, label: KeyLabel) -> Manifest:
    """Make a login key in the token and pin it; see `making.make_pinned`.

    Raises:
        TokenFaultError: the token's folder or the manifest cannot be written.
        InvalidRequestError: as `check_next`.
    """

    def check(manifest: Manifest) -> None:
        check_next(label, manifest.of_kind(KeyKind.SIGNING))

    return make_pinned(session, site, path, label, POLICY, check)


def _number(label: str) -> int:
    found = _LABEL.fullmatch(label)
    if found is None:
        raise InvalidRequestError("a login key is named login-1, login-2, ..")
    return int(found[1])
