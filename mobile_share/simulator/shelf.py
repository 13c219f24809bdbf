"""The phones of this machine: a folder each, found again by the name in its certificate."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NewType

from mobile_share.deployment import Deployment
from mobile_share.errors import NotEnrolledError, PhoneError
from mobile_share.files import make_private_folder, storage_error
from mobile_share.keystore import FileKeyStore
from mobile_share.owner import common_name
from mobile_share.phone import Phone, open_phone

PhoneId = NewType("PhoneId", str)  # 16 hexadecimal characters

_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class ShelvedPhone:
    """One phone, as the list of phones shows it."""

    phone_id: PhoneId
    owner: str  # name in the certificate; empty: not finished, or not to be read
    is_enrolled: bool


class Shelf:
    """Opens phones by their id; no other folder of the machine is reached."""

    def __init__(self, folder: Path, read_deployment: Callable[[], Deployment]) -> None:
        self._folder, self._read_deployment = folder, read_deployment

    def list(self) -> list[ShelvedPhone]:
        """Return every phone that has begun to enrol, by name; raises StorageError."""
        make_private_folder(self._folder)
        try:
            names = [one.name for one in self._folder.iterdir() if _ID.fullmatch(one.name)]
        except OSError as error:
            raise storage_error(error) from error
        found = filter(None, (self._describe(PhoneId(name)) for name in names))
        return sorted(found, key=lambda one: (not one.is_enrolled, one.owner, one.phone_id))

    def new(self) -> tuple[PhoneId, Phone]:
        """Return a phone without keys, in a folder that is made when it begins to enrol.

        Raises:
            NotEnrolledError, DamagedFileError: there is no deployment to pin.
        """
        make_private_folder(self._folder)
        phone_id = PhoneId(secrets.token_hex(8))
        folder = self._folder / phone_id
        return phone_id, Phone(folder, FileKeyStore(folder), self._read_deployment())

    def open(self, phone_id: PhoneId) -> Phone:
        """Open a phone.

        Raises:
            NotEnrolledError: there is none of this id.
            DamagedFileError: its pinned deployment is damaged.
        """
        if not _ID.fullmatch(phone_id):
            raise NotEnrolledError("there is no such phone")
        folder = self._folder / phone_id
        return open_phone(folder, FileKeyStore(folder))

    def _describe(self, phone_id: PhoneId) -> ShelvedPhone | None:
        try:
            phone = self.open(phone_id)
            owner = common_name(phone.certificate()) if phone.is_enrolled else ""
        except NotEnrolledError:
            return None  # a code was typed wrong, nothing else happened
        except PhoneError:
            return ShelvedPhone(phone_id, "", is_enrolled=False)
        return ShelvedPhone(phone_id, owner, phone.is_enrolled)
