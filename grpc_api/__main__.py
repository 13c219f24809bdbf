"""Start a process: `python -m grpc_api signer|registrar|worker --config FILE`."""

import argparse
import sys
from pathlib import Path

from grpc_api.hardening import harden
from signer_core.errors import SignerError


def main() -> int:
    """Run the process that the command line names; 1 and one clear line where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m grpc_api", description=__doc__)
    parser.add_argument("process", choices=("signer", "registrar", "worker"))
    parser.add_argument("--config", type=Path, required=True, help="TOML settings file")
    arguments = parser.parse_args()
    harden()
    try:
        _run(arguments.process, arguments.config)
    except SignerError as error:
        sys.stderr.write(f"{arguments.process}: {error}\n")
        return 1
    return 0


def _run(process: str, config: Path) -> None:
    """Load only the side that this process is."""
    if process == "signer":
        from grpc_api.signer import run  # noqa: PLC0415  a process loads only its own side
    elif process == "worker":
        from grpc_api.worker import run  # noqa: PLC0415  a process loads only its own side
    else:
        from grpc_api.registrar import run  # noqa: PLC0415  a process loads only its own side
    run(config)


if __name__ == "__main__":
    sys.exit(main())
