"""A token with its PINs, keys and manifest.

The manifest is written last and makes the token one that is in use: without it, and without
certificates of its keys, a token is the rest of a killed run and is made anew.
"""

import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from hsm_module.ceremony.files import write_public, write_secret
from hsm_module.ceremony.home import TokenFiles
from hsm_module.ceremony.plan import TokenPlan
from hsm_module.token.backup import save_token_object
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.initialise import initialise_token
from hsm_module.token.keks import is_outlived
from hsm_module.token.manifest import Manifest, PinnedKey, read_manifest
from hsm_module.token.opening import open_token
from hsm_module.token.probe import probe_token
from hsm_module.token.self_test import pin_key, self_test
from hsm_module.token.site import TokenSite, read_pin
from signer_core.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A token as the ceremony sees it: where, what is to be in it, what shows it was used."""

    site: TokenSite
    files: TokenFiles
    plan: TokenPlan
    conf_text: str
    used: Iterable[Path]  # any of these there: the token's keys are in use


def ensure_token(place: TokenPlace) -> tuple[Manifest, list[str]]:
    """Make the token, or complete it; return its manifest and the labels of keys made.

    Raises:
        TokenFaultError: a token in use is missing, damaged, or has lost its manifest.
        InvalidRequestError: the policy of a key in use has changed.
    """
    write_secret_if_new(place.files.conf, place.conf_text.encode())
    place.site.lock.touch(mode=0o600)
    if place.files.manifest.exists():
        return _complete(place, read_manifest(place.files.manifest))
    for trace in place.used:
        if trace.exists():
            raise TokenFaultError(
                TokenFault.MISSING,
                f"{place.files.manifest} is lost, but {trace} shows that the token is in use:"
                " restore it from a backup",
            )
    return _make(place)


def write_secret_if_new(path: Path, content: bytes) -> None:
    """Write a secret file unless it has this content already."""
    if not path.is_file() or path.read_bytes() != content:
        write_secret(path, content)


def _make(place: TokenPlace) -> tuple[Manifest, list[str]]:
    for leftover in (place.site.tokens, place.site.backup):
        if leftover.exists():
            shutil.rmtree(leftover)
    place.site.tokens.mkdir(mode=0o700)
    so_pin, pin = _make_pin(place.files.so_pin), _make_pin(place.files.pin)
    initialise_token(place.site, so_pin, pin)
    empty = Manifest(token_label=place.site.label, keys={})
    return _add_keys(place, empty, list(place.plan.keys), pin)


def _make_pin(path: Path) -> SecretStr:
    pin = secrets.token_hex(16)  # 128 bits: SoftHSM neither counts nor slows wrong PINs
    write_secret(path, pin.encode() + b"\n")
    return SecretStr(pin)


def _complete(place: TokenPlace, manifest: Manifest) -> tuple[Manifest, list[str]]:
    for label, pinned in manifest.keys.items():
        policy = place.plan.keys.get(label, pinned.policy)
        if policy != pinned.policy:
            raise InvalidRequestError(
                f"the policy of key {label!r} has changed: give the new key a new label"
            )
    pin = read_pin(place.files.pin)
    probe_token(place.site, pin, manifest)
    missing = [
        label
        for label in place.plan.keys
        if label not in manifest.keys and not is_outlived(label, manifest.keys)
    ]
    if not missing:
        save_token_object(place.site)
        return manifest, []
    return _add_keys(place, manifest, missing, pin)


def _add_keys(
    place: TokenPlace, manifest: Manifest, labels: list[str], pin: SecretStr
) -> tuple[Manifest, list[str]]:
    pinned: dict[str, PinnedKey] = {}
    with open_token(place.site, pin, writable=True) as session:
        for label in labels:
            session.make_key(label, place.plan.keys[label])
            pinned[label] = pin_key(session, label, place.plan.keys[label])
        full = Manifest(token_label=manifest.token_label, keys=manifest.keys | pinned)
        self_test(session, full)
    save_token_object(place.site)
    write_public(place.files.manifest, full.model_dump_json(indent=2).encode() + b"\n")
    return full, labels
