"""Callbacks to 100 partners of which 10 never answer: what the other 90 notice of it.

Run: python -m benchmarks.callbacks [--count 10000] [--partners 100] [--dead 10]

Real signer, worker and databases (SQLite); the callbacks are written into the signer's database as
approvals write them, with bodies of 5 KB. The partners are one process on loopback; a dead one
takes the connection and the request, and says nothing. First only the living get theirs, then all.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.processes import load_line
from benchmarks.harness.system import Bench, serving
from signer_core.callbacks.model import Callback
from signer_core.storage.engine import make_engine, write_transaction
from signer_core.storage.signer.callbacks import Callbacks

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

BODY = b'{"signatures":"' + b"A" * 5000 + b'"}'
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LIMIT = 2.0  # times the undisturbed time
_BATCH = 200


def serve(port: Synchronized[int], got: Synchronized[int], twice: Synchronized[int]) -> None:
    """Be all partners: `/dead-N` never answers, `/live-N` does at once."""
    asyncio.run(_serve(port, got, twice))


async def _serve(port: Synchronized[int], got: Synchronized[int], twice: Synchronized[int]) -> None:
    seen: set[bytes] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                await reader.readexactly(int(fields[b"Content-Length"]))
                if head.startswith(b"POST /dead"):
                    await reader.read()
                    return
                known = fields[b"Idempotency-Key"] in seen
                (twice if known else got).value += 1
                seen.add(fields[b"Idempotency-Key"])
                writer.write(_GOOD)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    port.value = server.sockets[0].getsockname()[1]
    await server.serve_forever()


@contextmanager
def partners() -> Iterator[tuple[int, Synchronized[int], Synchronized[int]]]:
    """Run the partners' process; give its port and what it counts."""
    port, got, twice = (multiprocessing.Value("i", 0) for _ in range(3))
    process = multiprocessing.Process(target=serve, args=(port, got, twice), daemon=True)
    process.start()
    while not port.value:
        time.sleep(0.02)
    try:
        yield port.value, got, twice
    finally:
        process.terminate()
        process.join()


async def post(bench: Bench, port: int, names: Sequence[str], each: int) -> None:
    """Write callbacks, in turn for each partner."""
    engine = make_engine(bench.database("signer"))
    rows = Callbacks(engine)
    made = [_callback(port, name) for _ in range(each) for name in names]
    for start in range(0, len(made), _BATCH):
        async with write_transaction(engine) as connection:
            for one in made[start : start + _BATCH]:
                await rows.add(connection, one, int(time.time()))
    await engine.dispose()


def _callback(port: int, name: str) -> Callback:
    callback_id = secrets.token_bytes(16)
    headers = (("Content-Type", "application/json"), ("Idempotency-Key", callback_id.hex()))
    address = f"http://127.0.0.1:{port}/{name}"
    return Callback(callback_id, secrets.token_bytes(16), name, address, headers, BODY)


def measure(bench: Bench, live: int, dead: int, each: int) -> float:
    """Return seconds until every living partner has all of its callbacks."""
    names = [f"live-{one}" for one in range(live)] + [f"dead-{one}" for one in range(dead)]
    with partners() as (port, got, twice):
        begun = time.perf_counter()
        asyncio.run(post(bench, port, names, each))
        written_s = time.perf_counter() - begun
        while got.value < live * each:
            time.sleep(0.05)
        spent_s = time.perf_counter() - begun
        print(
            f"{live} partners that answer, {dead} that do not: {live * each:,} callbacks in"
            f" {spent_s:.1f} s, {live * each / spent_s:.0f} a second (written within"
            f" {written_s:.1f} s; {twice.value} came twice); {load_line()}"
        )
    return spent_s


def main() -> None:
    """Measure both ways, each in a system of its own, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--partners", type=int, default=100)
    parser.add_argument("--dead", type=int, default=10)
    wish = parser.parse_args()
    live, each = wish.partners - wish.dead, wish.count // wish.partners
    spent = []
    for dead in (0, wish.dead):
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as bench:
            spent.append(measure(bench, live, dead, each))
    ratio = spent[1] / spent[0]
    print(f"ratio {ratio:.2f}, at most {_LIMIT:.0f}: {'met' if ratio <= _LIMIT else 'MISSED'}")


if __name__ == "__main__":
    main()
