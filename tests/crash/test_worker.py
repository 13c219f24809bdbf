"""A worker that is killed between two tries of a job goes on with it at its next start."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
JOB = "ab" * 16

# A runner whose one job fails at its first try; it says what it does in a file.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from grpc_api.jobs.kinds import TryLaterError
from grpc_api.jobs.runner import JobRunner, Patience

async def main(folder, job):
    told = Path(folder) / "told"

    async def work(job_id, body):
        first = not told.exists()
        with told.open("a") as file:
            file.write(f"tried {body.decode()}\\n")
        if first:
            raise TryLaterError("not now")

    async def report(job_id, reason):
        with told.open("a") as file:
            file.write("delivered\\n")

    url = f"sqlite+aiosqlite:///{folder}/worker.db"
    runner = JobRunner(url, {"test": work}, report, Patience(2.0, 3600))
    await runner.start()
    if job:
        await runner.accept(job, "test", b"{}")
    await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


def run_until(folder: Path, job: str, wanted: str) -> None:
    """Run the program until its file has a text, then kill it."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), job], cwd=ROOT)
    deadline = time.monotonic() + 90
    told = folder / "told"
    try:
        while not (told.exists() and wanted in told.read_text()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def test_a_job_goes_on_after_its_worker_was_killed(tmp_path: Path) -> None:
    run_until(tmp_path, JOB, "tried")
    run_until(tmp_path, "", "delivered")
    assert (tmp_path / "told").read_text() == "tried {}\ntried {}\ndelivered\n"
