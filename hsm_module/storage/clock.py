"""The database's clock: one for all vault processes, whatever their machines think."""

import functools

from sqlalchemy import BigInteger, ColumnElement, cast, func


@functools.cache
def unix_time_s(dialect: str) -> ColumnElement[int]:
    """Return the expression of the present Unix time in whole seconds."""
    if dialect == "sqlite":
        return func.unixepoch(type_=BigInteger)
    # not now(): that is when the transaction began, and it may have waited for its row lock
    return cast(func.floor(func.extract("epoch", func.clock_timestamp())), BigInteger)
