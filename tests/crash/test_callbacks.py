"""A worker that is killed while a partner has a callback in hand: the same one comes again."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fixtures.receivers import CallbackReceiver

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


def wait_for(found: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not found():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start(folder: Path, callback_receiver: CallbackReceiver, job: str) -> subprocess.Popen[bytes]:
    arguments = [str(folder), str(callback_receiver.server_port), job]
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT)


def test_a_worker_killed_in_a_try_posts_the_same_bytes_again(
    tmp_path: Path, callback_receiver: CallbackReceiver
) -> None:
    (tmp_path / "body").write_bytes(b'{"status":"approved"}')
    first = start(tmp_path, callback_receiver, JOB)
    try:
        wait_for(lambda: callback_receiver.received, first)
    finally:
        first.kill()
        first.wait()
    callback_receiver.answers.set()
    second = start(tmp_path, callback_receiver, "")
    try:
        wait_for((tmp_path / "ended").exists, second)
    finally:
        second.kill()
        second.wait()
    assert (tmp_path / "ended").read_text() == "delivered"
    once, again = callback_receiver.received
    assert once == again
    assert once[0]["Idempotency-Key"] == JOB
