"""Options that every command shares, and how a command reaches phone and signer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from mobile_share.files import read_file
from mobile_share.keystore import FileKeyStore, KeyStore
from mobile_share.phone import Phone, open_phone
from mobile_share.photo import SANDBOX_PHOTO
from mobile_share.ports import SignerClient
from mobile_share.wire import signer_client
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import RequestId

MAX_PHOTO_BYTES: Final = 256 * 1024


class KeyStoreKind(StrEnum):
    """Where `device_secret` lives."""

    FILE = "file"
    KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command's name."""

    home: Path
    key_store: KeyStoreKind

    def make_key_store(self) -> KeyStore:
        """Return the key store of the folder."""
        if self.key_store is KeyStoreKind.KEYRING:
            # the desktop's keyrings take 0.1 s to load
            from mobile_share.keystore.keyring_store import KeyringKeyStore  # noqa: PLC0415  see above

            return KeyringKeyStore(self.home)
        return FileKeyStore(self.home)

    def phone(self) -> Phone:
        """Open the phone; raises NotEnrolledError."""
        return open_phone(self.home, self.make_key_store())


PinStdin = Annotated[
    bool,
    typer.Option("--pin-stdin", help="Read the PIN from standard input. For development only."),
]
Photo = Annotated[
    Path | None,
    typer.Option("--photo", help="Photo for the photo check; the sandbox needs none."),
]
RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="32 hexadecimal characters.")]


def options(context: typer.Context) -> Options:
    """Return what the main callback stored."""
    stored = context.obj
    assert isinstance(stored, Options)  # noqa: S101  the callback of `app` sets nothing else
    return stored


@asynccontextmanager
async def connected(context: typer.Context) -> AsyncIterator[tuple[Phone, SignerClient]]:
    """Open the phone and the connection to its signer.

    Raises:
        NotEnrolledError: the folder holds no enrolled phone.
    """
    phone = options(context).phone()
    async with signer_client(phone) as signer:
        yield phone, signer


def read_photo(path: Path | None) -> bytes:
    """Return the photo, at most 256 KiB.

    Raises:
        InvalidRequestError: there is no such file, or it is too large.
    """
    if path is None:
        return SANDBOX_PHOTO
    photo = read_file(path)
    if not photo or len(photo) > MAX_PHOTO_BYTES:
        raise InvalidRequestError("the photo is not a file of 1 byte to 256 KiB")
    return photo


def parse_request_id(text: str) -> RequestId:
    """Parse a request's id; raises as `parse_id`."""
    return RequestId(parse_id(text))


def parse_id(text: str) -> bytes:
    """Parse an id as people see it.

    Raises:
        InvalidRequestError: it is not 32 hexadecimal characters.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 16:
        raise InvalidRequestError("an id has 32 hexadecimal characters")
    return value
