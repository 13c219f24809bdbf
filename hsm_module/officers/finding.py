"""From what an officer has in hand to keys: exactly one, or all of a person."""

import re
import sys
from collections.abc import Sequence
from typing import Final

import typer

from grpc_api.clients.admin import AdminClient, PersonKey
from grpc_api.clients.vault_admin import VaultAdminClient
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId

_SHORTEST: Final = 6  # hex digits of a key id
_FORMS: Final = (
    (re.compile(r"\d{10}"), ("rnokpp",)),
    (re.compile(r"\d{8}-\d{5}"), ("unzr",)),
    (re.compile(r"[0-9a-f]{32}"), ("key", "request", "serial")),
    (re.compile(r"[0-9a-f]{64}"), ("device",)),
    (re.compile(r"[0-9a-f]{33,40}"), ("serial",)),
)


def typed(who: str) -> str:
    """Return what stands for a person; `-` asks, so that a number is in no shell history."""
    if who != "-":
        return who.strip()
    if sys.stdin.isatty():
        return str(typer.prompt("RNOKPP, UNZR, serial, key or request", err=True)).strip()
    return sys.stdin.readline().strip()


async def find_person(signer: AdminClient, who: str) -> Sequence[PersonKey]:
    """Return a person's keys, newest first.

    Raises:
        InvalidRequestError: this is the form of nothing that people are found by.
        NotFoundError: the signer knows nobody of it.
    """
    plain = who.lower().replace(":", "")
    kinds = next((kinds for form, kinds in _FORMS if form.fullmatch(plain)), None)
    if kinds is None:
        raise InvalidRequestError(
            "give an RNOKPP (10 digits), a UNZR (8-5 digits), or in hexadecimal a key, request,"
            " serial number or device; never a name"
        )
    for kind in kinds:
        found = await signer.find_person(kind, plain)
        if found:
            return found
    raise NotFoundError("the signer knows nobody by this")


async def find_key(vault: VaultAdminClient, text: str) -> KeyId:
    """Return the only key whose id begins so (at least 6 hexadecimal digits).

    Raises:
        InvalidRequestError: too short, not hexadecimal, or two keys begin so.
        NotFoundError: no key does.
    """
    plain = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{6,32}", plain):
        raise InvalidRequestError(f"a key id is {_SHORTEST} to 32 hexadecimal digits")
    first = int(plain.ljust(32, "0"), 16)
    after = (first - 1).to_bytes(16, "big") if first else b""
    begin = [
        key.key_id for key in await vault.list_keys(after, 2) if key.key_id.hex().startswith(plain)
    ]
    if not begin:
        raise NotFoundError("the vault has no such key")
    if len(begin) > 1:
        raise InvalidRequestError("several keys begin so: give more digits")
    return begin[0]
