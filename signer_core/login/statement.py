"""The login statement: the text that a person signs to sign in (docs/flows/login.md).

It names the partner, where the browser goes back to, and every kind of data that is told: what is
not in it is not told, whatever anybody asked for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Self

from signer_core.errors import InvalidRequestError

FIRST_LINE: Final = "diia-signer login v1"
# What may be told beside the pairwise name, in this order; the words a person reads.
DATA: Final[dict[str, str]] = {
    "profile": "ім'я та прізвище",
    "person_code": "РНОКПП",
    "birthdate": "дата народження",
}
_NAMES: Final = ("issuer", "client", "redirect", "nonce", "time", "data")
_NONE: Final = "-"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class LoginStatement:
    """What is in it; `text` and `parse_statement` are each other's inverse."""

    issuer: str
    client_id: str
    redirect_uri: str
    nonce: str  # or empty
    at: datetime  # UTC, whole seconds
    data: tuple[str, ...]  # of DATA, in its order

    @classmethod
    def make(
        cls, issuer: str, client_id: str, redirect_uri: str, nonce: str, at: datetime, scope: str
    ) -> Self:
        """Return the statement for an authorization request with this scope."""
        asked = scope.split()
        data = tuple(name for name in DATA if name in asked)
        return cls(issuer, client_id, redirect_uri, nonce, at.replace(microsecond=0), data)

    @property
    def text(self) -> str:
        """Return the lines, each ended by a line feed.

        Raises:
            InvalidRequestError: a part cannot stand in a line.
        """
        at = self.at.astimezone(UTC).strftime(_TIME)
        values = (
            self.issuer,
            self.client_id,
            self.redirect_uri,
            self.nonce or _NONE,
            at,
            " ".join(self.data) or _NONE,
        )
        if not all(value.isprintable() for value in values):
            raise InvalidRequestError("a login has characters that cannot be shown")
        named = (f"{name}: {value}" for name, value in zip(_NAMES, values, strict=True))
        return "\n".join((FIRST_LINE, *named, self.says, ""))

    @property
    def says(self) -> str:
        """Return in words what the person agrees to."""
        told = "; ".join(DATA[name] for name in self.data)
        return f"Передати партнеру: {told}." if told else "Особисті дані не передаються."

    @property
    def challenge(self) -> bytes:
        """Return what is signed: SHA-256 of the text."""
        return sha256(self.text.encode()).digest()

    @property
    def scope(self) -> str:
        """Return the scope that the person agreed to."""
        return " ".join(("openid", *self.data))


def parse_statement(text: str) -> LoginStatement:
    """Read a statement.

    Raises:
        InvalidRequestError: it is not one, to the last byte.
    """
    try:
        found = _read(text)
        if found.text == text:
            return found
    except (ValueError, KeyError):
        pass
    raise InvalidRequestError("this is no login statement")


def _read(text: str) -> LoginStatement:
    lines = text.split("\n")[1:7]
    issuer, client, redirect, nonce, at, data = (line.partition(": ")[2] for line in lines)
    return LoginStatement(
        issuer,
        client,
        redirect,
        "" if nonce == _NONE else nonce,
        datetime.strptime(at, _TIME).replace(tzinfo=UTC),
        () if data == _NONE else tuple(data.split(" ")),
    )
