"""Share records as bytes: a version, then fields with their lengths, nothing after them."""

from collections.abc import Sequence

from signer_core.errors import InvalidRequestError
from signer_core.protocol.transcript import part


def pack(version: int, fields: Sequence[bytes]) -> bytes:
    """Encode one version byte, then each field as its length (4 bytes) and bytes."""
    return bytes([version]) + b"".join(map(part, fields))


def read_word(field: bytes) -> str:
    """Decode an ASCII word.

    Raises:
        InvalidRequestError: it is not ASCII.
    """
    if not field.isascii():
        raise InvalidRequestError("the share record is damaged")
    return field.decode("ascii")


def unpack(version: int, sizes: Sequence[int | None], record: bytes) -> list[bytes]:
    """Decode a record of this version; a size of None allows any length.

    Raises:
        InvalidRequestError: another version, a field of the wrong size, or bytes left over.
    """
    if record[:1] != bytes([version]):
        raise InvalidRequestError("the share record has an unknown version")
    fields, at = [], 1
    for size in sizes:
        length = int.from_bytes(record[at : at + 4], "big")
        field, at = record[at + 4 : at + 4 + length], at + 4 + length
        if len(field) != length or size not in (None, length):
            raise InvalidRequestError("the share record is damaged")
        fields.append(field)
    if at != len(record):
        raise InvalidRequestError("the share record is damaged")
    return fields
