"""The MAC over a row: every column but the MAC itself, by a key that never leaves the token."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache
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


async def verify_ownerless(
    token: Token, table: Table, row: RowMapping | Mapping[str, Any]
) -> dict[str, Any]:
    """Check a row that is no key's and no request's, as `verify`; return its columns.

    Raises:
        AlteredRowError: it is not as the vault wrote it.
    """
    try:
        return await verify(token, table, row)
    except VerificationError:
        raise AlteredRowError(table.name, None) from None


def encode(table: Table, row: Mapping[Any, Any]) -> bytes | None:
    """Return what a row's MAC is over, None if it cannot have one."""
    try:
        return _encode_row(table, row)
    except TypeError:  # SQLite lets any type into any column
        return None


def _encode_row(table: Table, values: Mapping[str, Any]) -> bytes:
    """Encode name, type and value of every column; hash it, for a row may exceed the token.

    Empty columns that came `LATER` are left out; the names tell which columns are there.
    """
    name, columns = _layout(table)
    parts = [name]
    for column, prefix, later in columns:
        value = values[column]
        if value is None:
            parts += () if later else (prefix, b"n")
        else:
            tag, data = _encode_value(value)
            parts += (prefix, tag, len(data).to_bytes(4, "big"), data)
    return b"diia-signer/vault/row/v1" + hashlib.sha256(b"".join(parts)).digest()


@cache
def _layout(table: Table) -> tuple[bytes, tuple[tuple[str, bytes, bool], ...]]:
    """Return what is the same in every row: names, encoded once."""
    columns = (column for column in table.columns if column.name != MAC_COLUMN)
    return _part(table.name.encode()), tuple(
        (one.name, _part(one.name.encode()), one.info.get("later", False)) for one in columns
    )


def _encode_value(value: object) -> tuple[bytes, bytes]:
    if isinstance(value, bytes):
        return b"b", value
    if isinstance(value, str):
        return b"s", value.encode()
    if isinstance(value, int):
        return b"i", b"%d" % value
    raise TypeError("a column holds bytes, text, a whole number, or nothing")


def _part(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
