"""Check what came back with OpenSSL."""

import subprocess
from pathlib import Path


def verify(file: Path, signature: Path, root: Path, chain: Path) -> bool:
    """Tell whether `signature` (DER, detached CAdES) is good for `file` under `root` (PEM)."""
    done = subprocess.run(  # noqa: S603  fixed words and files of our own
        [
            *("/usr/bin/openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"),
            *("-in", str(signature), "-content", str(file), "-certfile", str(chain)),
            *("-CAfile", str(root), "-purpose", "any", "-out", "/dev/null"),
        ],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
