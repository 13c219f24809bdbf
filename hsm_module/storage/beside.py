"""What comes with a key's row in one query: a round trip to PostgreSQL costs more than the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table

from hsm_module.storage.tables import requests, share_records
from signer_core.identifiers import KeyId, RequestId

NO_REQUEST: Final = b""  # no id is empty


@dataclass(frozen=True, slots=True)
class Beside:
    """What else is wanted: a request, and the share of a generation where nothing is locked."""

    request_id: RequestId | None
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of one transaction that were read and not asked for yet. Mutable: each is taken once."""

    requests: dict[RequestId, Mapping[str, Any]] = field(default_factory=dict)
    shares: dict[tuple[KeyId, int], Mapping[str, Any]] = field(default_factory=dict)

    def keep(self, row: Mapping[str, Any], key_id: KeyId, beside: Beside) -> None:
        """Keep what a row of `statements.select_key_beside` has beside the key's columns."""
        if beside.request_id is not None and row[label(requests, "request_id")] is not None:
            self.requests[beside.request_id] = _columns(requests, row)
        if beside.generation is not None and row[label(share_records, "key_id")] is not None:
            self.shares[key_id, beside.generation] = _columns(share_records, row)


def label(table: Table, column: str) -> str:
    """Return what a column is called beside those of the key."""
    return f"{table.name}.{column}"


def _columns(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {one.name: row[label(table, one.name)] for one in table.c}
