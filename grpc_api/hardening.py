"""What every process does to itself before it reads a secret."""

import os
import resource


def harden() -> None:
    """Write no core dump, and files for this user alone.

    A core of the vault would hold shares in use, one of the phone's relay their traffic
    (docs/threat-model.md). Where the kernel pipes cores to a program, set its limit too.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
