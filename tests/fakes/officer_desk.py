"""One officer's machine, for tests with every process."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.home import REPOSITORY


@dataclass
class Desk:
    """One officer's machine: key file, passphrase, the command."""

    home: Path
    passphrase: Path
    key_file: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        own = ["--home", str(self.home), "--passphrase-file", str(self.passphrase)]
        own += ["--key-file", str(self.key_file)] if self.key_file else []
        return subprocess.run(
            [sys.executable, "-m", "hsm_module.officers", *own, *words],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *words: str, code: int | None = 0):
        """Return what the command says; `code` None: whatever becomes of it."""
        done = self.run(*words, "--json")
        assert code in (None, done.returncode), done.stdout + done.stderr
        return json.loads(done.stdout)
