"""A worker that is killed while a partner has a callback in hand: the same one comes again."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOB = "ab" * 16

# A worker without a signer: what is posted is in a file, and how it ended goes into another one.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from grpc_api.jobs.callback import PostCallback
from grpc_api.jobs.kinds import CALLBACK
from grpc_api.jobs.posting import Poster, Trust
from grpc_api.jobs.runner import JobRunner, Patience

async def main(folder, port, job):
    class Callbacks:
        async def get(self, callback_id):
            headers = (("Idempotency-Key", callback_id), ("X-Signature", "a..b"))
            body = (Path(folder) / "body").read_bytes()
            return f"http://127.0.0.1:{port}/callbacks", headers, body

    async def report(job_id, reason):
        (Path(folder) / "ended").write_text(reason or "delivered")

    poster = Poster(Trust(allow_private=True))
    kinds = {CALLBACK: PostCallback(Callbacks(), poster)}
    url = f"sqlite+aiosqlite:///{folder}/worker.db"
    runner = JobRunner(url, kinds, report, Patience(2.0, 3600))
    await runner.start()
    if job:
        await runner.accept(job, CALLBACK, b'{"partner_id": "bank"}')
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


class Partner(http.server.ThreadingHTTPServer):
    """Keeps whole requests; answers none while it hangs."""

    received: list[bytes]
    answers: threading.Event


class Handler(http.server.BaseHTTPRequestHandler):
    server: Partner

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(bytes(self.headers) + body)
        self.server.answers.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def partner() -> Iterator[Partner]:
    server = Partner(("127.0.0.1", 0), Handler)
    server.received, server.answers = [], threading.Event()
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    server.server_close()
    thread.join()


def wait_for(found: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not found():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start(folder: Path, partner: Partner, job: str) -> subprocess.Popen[bytes]:
    arguments = [str(folder), str(partner.server_port), job]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT)


def test_a_worker_killed_in_a_try_posts_the_same_bytes_again(
    tmp_path: Path, partner: Partner
) -> None:
    (tmp_path / "body").write_bytes(b'{"status":"approved"}')
    first = start(tmp_path, partner, JOB)
    try:
        wait_for(lambda: partner.received, first)
    finally:
        first.kill()
        first.wait()
    partner.answers.set()
    second = start(tmp_path, partner, "")
    try:
        wait_for((tmp_path / "ended").exists, second)
    finally:
        second.kill()
        second.wait()
    assert (tmp_path / "ended").read_text() == "delivered"
    once, again = partner.received
    assert once == again
    assert f"Idempotency-Key: {JOB}".encode() in once
