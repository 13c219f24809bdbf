"""A whole system to measure: real processes, on SQLite or PostgreSQL, kept between runs."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from deploy import readiness, setup, supervision
from deploy.home import REPOSITORY, Home, write_whole

KEPT = REPOSITORY / "build" / "bench"  # enrolled phones are dear: they stay between runs
SERVERS = ("registrar", "vault", "signer")
RECONNECT_S = 3  # a signer that was up before its vault is connected by then
_START = "database_url = "


@dataclass(frozen=True, slots=True)
class Bench:
    """A serving system and the process ids of its processes."""

    home: Home
    pids: dict[str, int]

    def database(self, process: str) -> str:
        """Return the database URL of a process."""
        settings = self.home.settings(process).read_text()
        found = re.search(rf'^{_START}"(.*)"$', settings, re.MULTILINE)
        assert found is not None
        return found[1]


@contextmanager
def serving(root: Path, postgres: str | None = None) -> Iterator[Bench]:
    """Start the system under `root`; with a PostgreSQL URL vault and signer keep their data there.

    The URL names a server: the databases `bench_vault` and `bench_signer` must be there.
    """
    home = Home(root.resolve())
    with supervision.owned(home) as ours:
        if not ours:
            raise SystemExit(f"another benchmark runs in {root}")
        supervision.connect(home).stop()  # left by one that was killed
        listeners = setup.prepare(home, lambda _: None)
        if postgres is not None:
            _move(home, postgres)
        supervisor = supervision.start(home)
        try:
            readiness.wait_until_serving(home, listeners, supervisor)
            time.sleep(RECONNECT_S)
            pids = {one.name: one.pid for one in supervisor.find_processes()}
            yield Bench(home, {name: pids[name] for name in SERVERS})
        finally:
            supervisor.stop()


def _move(home: Home, postgres: str) -> None:
    for process in ("vault", "signer"):
        url = make_url(postgres).set(database=f"bench_{process}")
        path = home.settings(process)
        line = f'{_START}"{url.render_as_string(hide_password=False)}"'
        write_whole(path, re.sub(rf"^{_START}.*$", line, path.read_text(), flags=re.MULTILINE))
