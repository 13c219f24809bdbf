"""A legal person: apart from certificates, so that a command that names one loads no more."""

import re
from dataclasses import dataclass
from typing import Final

from signer_core.errors import InvalidRequestError

_MAX_NAME_LENGTH: Final = 64  # characters, ub-organization-name of RFC 5280
_EDRPOU: Final = re.compile(r"\d{8}", re.ASCII)  # number in the register of legal persons


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose seal it is."""

    name: str  # as registered, at most 64 characters
    edrpou: str  # 8 digits

    def __post_init__(self) -> None:
        name = self.name
        if not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isprintable() or name != name.strip():
            raise InvalidRequestError("an organisation's name is 1 to 64 printable characters")
        if _EDRPOU.fullmatch(self.edrpou) is None:
            raise InvalidRequestError("an EDRPOU has 8 digits")
