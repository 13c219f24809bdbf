"""The KEKs of a token: which is the newest, and making another one while the token serves."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hsm_module.token.making import make_pinned
from hsm_module.token.manifest import Manifest
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.port import KekId
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite
from signer_core.errors import InvalidRequestError, NotFoundError

KEK: Final = KeyPolicy(kind=KeyKind.KEK, mechanism="AES_GCM", bits=256, uses=("encrypt", "decrypt"))
_LABEL: Final = re.compile(r"kek-([1-9][0-9]{0,5})")


def newest(labels: Iterable[str]) -> KekId:
    """Return the one of the highest number.

    Raises:
        NotFoundError: none is of the form `kek-1`.
    """
    numbers = [_number(label) for label in labels if _LABEL.fullmatch(label)]
    if not numbers:
        raise NotFoundError("the token has no KEK")
    return KekId(f"kek-{max(numbers)}")


def after(kek_id: KekId) -> KekId:
    """Return the id of the next KEK."""
    return KekId(f"kek-{_number(kek_id) + 1}")


def check_next(kek_id: KekId, known: KekId) -> None:
    """Check that a KEK to be made is the one after the newest, or was just made.

    Raises:
        InvalidRequestError: it is another one.
    """
    if kek_id not in (known, after(known)):
        raise InvalidRequestError(f"the next KEK is {after(known)}")


def make(session: TokenSession, site: TokenSite, path: Path, kek_id: KekId) -> Manifest:
    """Make a KEK in the token and pin it; see `making.make_pinned`.

    Raises:
        TokenFaultError: the token's folder or the manifest cannot be written.
        InvalidRequestError: as `check_next`.
    """

    def check(manifest: Manifest) -> None:
        check_next(kek_id, newest(manifest.of_kind(KeyKind.KEK)))

    return make_pinned(session, site, path, kek_id, KEK, check)


def check_older(kek_id: KekId, newest_id: KekId) -> None:
    """Check that a KEK is one before the newest.

    Raises:
        InvalidRequestError: it is not.
    """
    if _number(kek_id) >= _number(newest_id):
        raise InvalidRequestError(f"{kek_id} is the newest KEK, or none yet: rotate first")


def is_kek(label: str) -> bool:
    """Tell whether a label is that of a KEK."""
    return _LABEL.fullmatch(label) is not None


def is_outlived(label: str, labels: Iterable[str]) -> bool:
    """Tell whether a label is that of a KEK, and there is a newer one."""
    found = _LABEL.fullmatch(label)
    others = [_number(one) for one in labels if _LABEL.fullmatch(one)]
    return found is not None and max(others, default=0) > int(found[1])


def _number(label: str) -> int:
    found = _LABEL.fullmatch(label)
    if found is None:
        raise InvalidRequestError("a KEK is named kek-1, kek-2, ..")
    return int(found[1])
