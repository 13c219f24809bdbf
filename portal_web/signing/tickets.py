"""The ticket in a partner's link: which offer, who asks, where to go afterwards; sealed by us."""

import json
from dataclasses import asdict, dataclass, field
from typing import Final

from cryptography.fernet import InvalidToken, MultiFernet

from signer_core.errors import NotFoundError

_KIND: Final = "signing-ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser needs to know of an offer; a partner hands it on as a part of an address."""

    offer: str  # its id, 32 hexadecimal digits
    ends_at_s: int  # Unix time: a ticket is worth nothing later
    name_uk: str = field(repr=False)  # of the partner
    name_en: str = field(repr=False)
    return_address: str = field(repr=False)  # of the partner's record, or empty


class Tickets:
    """Seals and opens tickets (Fernet), under the keys of cookies."""

    def __init__(self, keys: MultiFernet) -> None:
        self._keys = keys

    def seal(self, ticket: Ticket) -> str:
        """Return the ticket as text for an address: base64url, some 400 characters."""
        return self._keys.encrypt(json.dumps([_KIND, asdict(ticket)]).encode()).decode()

    def open(self, text: str, now_s: int) -> Ticket:
        """Return the ticket in an address.

        Raises:
            NotFoundError: it is not of ours, or its time is over.
        """
        try:
            kind, content = json.loads(self._keys.decrypt(text))
        except (InvalidToken, ValueError):
            raise _over() from None
        if kind != _KIND or now_s >= content["ends_at_s"]:
            raise _over()
        return Ticket(**content)


def _over() -> NotFoundError:
    return NotFoundError("this link is over or broken: go back to the site that sent you")
