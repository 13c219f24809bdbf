"""Many HTTP requests to the portal of a running system, and what they cost whom."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.system import System

CONNECTIONS = 8
TICKS = os.sysconf("SC_CLK_TCK")
SERVED_BY = ("portal", "signer", "vault")


@dataclass(frozen=True)
class Done:
    """The cost of a load."""

    cpu_ms: dict[str, float]  # a request, by process

    @property
    def per_cpu_second(self) -> float:
        """Requests that one core would carry."""
        return 1000 / sum(self.cpu_ms.values())


class HttpLoad:
    """Keeps some connections busy."""

    def __init__(self, system: System) -> None:
        self._port = system.ports["portal"]
        self._pids = {one.name: one.pid for one in system.supervisor.find_processes()}

    async def get(self, path: str) -> bytes:
        """Return the body of one answer."""
        while True:  # a signer that started first looks for its vault every two seconds
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                return await _exchange(reader, writer, f"GET {path}", b"")
            except ConnectionError:
                await asyncio.sleep(0.5)
            finally:
                writer.close()

    async def post_all(self, path: str, bodies: Sequence[bytes]) -> Done:
        """Post every body; return what it cost."""
        before = {name: _cpu_s(self._pids[name]) for name in SERVED_BY}
        queue = list(bodies)
        await asyncio.gather(*(self._post(path, queue) for _ in range(CONNECTIONS)))
        spent = {name: _cpu_s(self._pids[name]) - before[name] for name in SERVED_BY}
        return Done({name: 1000 * cpu / len(bodies) for name, cpu in spent.items()})

    async def _post(self, path: str, queue: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while queue:
            await _exchange(reader, writer, f"POST {path}", queue.pop())
        writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str, body: bytes
) -> bytes:
    head = f"{line} HTTP/1.1\r\nHost: portal\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 503 " in answer.splitlines()[0]:
        raise ConnectionError("the vault is not found yet")
    assert answer.startswith(b"http/1.1 200"), answer
    length = int(answer.split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
