"""A database that came from a backup gets the rows back that the log's file has."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.audit.leaf import WORDS, Recorded
from signer_core.audit.merkle import Frontier
from signer_core.errors import VerificationError
from signer_core.storage.engine import take_turn
from signer_core.storage.signer.audit_log import TOPIC, Row, read_tree, store_rows


async def adopt(connection: AsyncConnection, leaves: Sequence[bytes]) -> Frontier:
    """Append rows as the file has them; return the tree. The vault's signature judges them.

    Raises:
        VerificationError: they do not follow the database's last row.
    """
    await take_turn(connection, TOPIC)
    tree = await read_tree(connection)
    rows = [_row(tree.size + place, leaf) for place, leaf in enumerate(leaves)]
    if not rows:
        raise VerificationError("the audit log's file ends before it says")
    await store_rows(connection, tree, rows)
    return await read_tree(connection)


def _row(seq: int, leaf: bytes) -> Row:
    try:
        values: dict[str, Any] = json.loads(leaf)
        if values["seq"] != seq:
            raise VerificationError("a row of the audit log's file is not where it belongs")
        event = Recorded(
            event_id=bytes.fromhex(values["event_id"]),
            at_s=values["at_s"],
            key_id=_bytes(values.get("key_id")),
            request_id=_bytes(values.get("request_id")),
            **{name: values.get(name, "") for name in WORDS},
        )
    except (ValueError, KeyError, TypeError):
        raise VerificationError("a row of the audit log's file cannot be read") from None
    return Row(seq, leaf, event)


def _bytes(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits)
