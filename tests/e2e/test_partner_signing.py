"""docs/partners.md, signatures of files: the example as a partner runs it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.commands import DemoPhone
from deploy.home import REPOSITORY
from deploy.system import System
from tests.e2e.test_callbacks import make_partner
from tests.e2e.test_sign_in import approve, open_link

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def test_the_example_gets_a_file_signed(
    system: System, phone: DemoPhone, tmp_path: Path
) -> None:
    port, file = free_port(), tmp_path / "договір.txt"
    file.write_text("contract")
    made = await make_partner(system, f"http://127.0.0.1:{port}/callbacks")
    own = {
        "CLIENT_ID": made.partner_id,
        "CLIENT_SECRET": made.secret,
        "PORTAL": f"http://127.0.0.1:{system.ports['portal']}",
    }
    words = ["examples/partner_signing/partner.py", str(file), "--port", str(port)]
    words += ["--public", str(system.home.public)]
    with subprocess.Popen(
        [sys.executable, *words], cwd=REPOSITORY, env=os.environ | own, stdout=subprocess.PIPE
    ) as example:
        assert example.stdout is not None
        link = re.search(rb"https?://\S+", example.stdout.readline())
        assert link is not None
        opened = await open_link(phone, link[0].decode())
        assert (await approve(*opened)).signatures == 1
        said, _ = example.communicate(timeout=60)
    assert (example.returncode, b"signed, subject=" in said) == (0, True)
    assert file.with_name("договір.txt.p7s").stat().st_size > 1000
