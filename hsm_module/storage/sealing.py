"""The MAC over a row: every column but the MAC itself, by a key that never leaves the token."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import RowMapping, Table

from hsm_module.token.port import Token
from signer_core.errors import VerificationError

MAC_COLUMN: Final = "mac"


class AlteredRowError(VerificationError):
    """A row is not as the vault wrote it: refused and audited, never repaired."""

    event: ClassVar[str] = "row-altered"

    def __init__(self, table: str, key_id: bytes | None, request_id: bytes | None = None) -> None:
        super().__init__("the vault's record was altered: it is refused")
        self.table = table
        self.key_id = key_id
        self.request_id = request_id


class RolledBackRowError(AlteredRowError):
    """A row is older than its high-water mark, or gone: refused and audited."""

    event = "row-rolled-back"


async def seal(token: Token, table: Table, values: Mapping[str, Any]) -> bytes:
    """Return the 32-byte MAC over the columns of `table` in `values`."""
    return await token.mac(_encode_row(table, values))


async def person_mac(token: Token, person_id: str) -> bytes:
    """Return what tells whether two keys are one person's, and nothing without the token."""
    return await token.mac(b"diia-signer/vault/person/v1" + person_id.encode())


async def verify(token: Token, table: Table, row: RowMapping | Mapping[str, Any]) -> dict[str, Any]:
    """Compare the row's MAC with the one computed again, in constant time; return its columns.

    Raises:
        VerificationError: they differ.
    """
    values = {str(name): value for name, value in row.items()}
    try:
        expected = await token.mac(_encode_row(table, values))
        same = hmac.compare_digest(values[MAC_COLUMN], expected)
    except TypeError:  # SQLite lets any type into any column
        same = False
    if not same:
        raise VerificationError("the row is not authentic")
    return values


def encode(table: Table, row: RowMapping) -> bytes | None:
    """Return what a row's MAC is over, None if it cannot have one."""
    try:
        return _encode_row(table, {str(name): value for name, value in row.items()})
    except TypeError:  # SQLite lets any type into any column
        return None


def _encode_row(table: Table, values: Mapping[str, Any]) -> bytes:
    """Encode name, type and value of every column; hash it, for a row may exceed the token.

    Empty columns that came `LATER` are left out; the names tell which columns are there.
    """
    parts = [_part(table.name.encode())]
    for column in table.columns:
        later = column.info.get("later", False) and values[column.name] is None
        if column.name != MAC_COLUMN and not later:
            parts += [_part(column.name.encode()), _encode_value(values[column.name])]
    return b"diia-signer/vault/row/v1" + hashlib.sha256(b"".join(parts)).digest()


def _encode_value(value: object) -> bytes:
    match value:
        case None:
            return b"n"
        case bytes():
            return b"b" + _part(value)
        case str():
            return b"s" + _part(value.encode())
        case int():
            return b"i" + _part(str(value).encode())
        case _:
            raise TypeError("a column holds bytes, text, a whole number, or nothing")


def _part(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
