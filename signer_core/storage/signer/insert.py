"""Insert a row unless its place is taken: one statement that says so without an error.

An error would be raised before the group of transactions that it belongs to is committed
(docs/adr/0007-group-commit.md): a reader who then looks for the row in its place finds nothing.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, exists, insert, literal, select


def insert_unless(taken: ColumnElement[bool], table: Table, row: Mapping[str, Any]) -> Insert:
    """Return an INSERT of `row` that does nothing, rowcount 0, where a row matches `taken`.

    Two processes at once may both find the place free: the table's constraint decides, and
    the later one gets an IntegrityError after the other's commit.
    """
    values = [literal(value, table.c[name].type) for name, value in row.items()]
    free = ~exists(select(1).select_from(table).where(taken))
    return insert(table).from_select(list(row), select(*values).where(free))
