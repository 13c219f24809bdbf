"""Rows that make a table large: one enrolled phone's, copied by PostgreSQL under other ids.

A copy has no valid MAC and no share that opens: it is ballast, never used, but it fills tables and
indexes as a real one would.
"""

from collections.abc import Mapping

from sqlalchemy import Table, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.harness.system import Bench
from hsm_module.storage import tables as vault
from signer_core.storage.postgres import DIALECT
from signer_core.storage.signer import tables as signer

_ID = "substr(sha256(('{salt}' || i)::bytea), 1, {size})"
_COPIES = 10_000  # rows a transaction, 90 MB


def unique(salt: str, size: int) -> str:
    """Return the SQL of `size` bytes (at most 32) that are another's for each row `i`."""
    return _ID.format(salt=salt, size=size)


KEY_ID = unique("key", 16)
VAULT: tuple[tuple[Table, Mapping[str, str]], ...] = (
    (vault.keys, {"key_id": KEY_ID, "suspend_code_hash": unique("code", 32)}),
    (vault.share_records, {"key_id": KEY_ID}),
)
SIGNER: tuple[tuple[Table, Mapping[str, str]], ...] = (
    (signer.devices, {"key_id": KEY_ID, "device_key_hash": unique("device", 32)}),
    (
        signer.certificates,
        {"key_id": KEY_ID, "serial": unique("serial", 20), "person_code": "'ballast-' || i"},
    ),
)


async def load_ballast(bench: Bench, rows: int, first: int = 0) -> None:
    """Copy one key's rows in vault and signer: copies `first` to `rows`; then tidy up."""
    for process, copied in (("vault", VAULT), ("signer", SIGNER)):
        # not as the processes: these statements take minutes, and nothing gives them up
        engine = create_async_engine(make_url(bench.database(process)).set(drivername=DIALECT))
        for start in range(first, rows, _COPIES):
            async with engine.begin() as connection:
                for table, changed in copied:
                    last = min(start + _COPIES, rows)
                    await _copy(connection, table, changed, (start, last))
        async with engine.connect() as connection:
            free = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table, _ in copied:
                await free.execute(text(f"VACUUM ANALYZE {table.name}"))
            await free.execute(text("CHECKPOINT"))
        await engine.dispose()


async def _copy(
    connection: AsyncConnection, table: Table, changed: Mapping[str, str], span: tuple[int, int]
) -> None:
    names = [column.name for column in table.columns]
    values = [changed.get(name, f"one.{name}") for name in names]
    await connection.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)}"
            f" FROM (SELECT * FROM {table.name} LIMIT 1) AS one,"
            " generate_series(CAST(:first AS bigint), :last - 1) AS i"
        ),
        {"first": span[0], "last": span[1]},
    )
