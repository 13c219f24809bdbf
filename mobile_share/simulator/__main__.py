"""The browser phone's process: `python -m mobile_share.simulator --config FILE`."""

import argparse
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
import uvicorn

from grpc_api.hardening import harden
from grpc_api.logs import configure_logs
from grpc_api.settings import load_settings
from mobile_share.deployment import Deployment
from mobile_share.simulator.sandbox import Sandbox
from mobile_share.simulator.settings import SimulatorSettings
from mobile_share.simulator.shelf import Shelf
from mobile_share.simulator.web.application import make_application
from mobile_share.simulator.web.surroundings import Surroundings
from mobile_share.wire import enrolment_client, signer_client
from signer_core.errors import SignerError, UnavailableError

_AT_ONCE: Final = 128  # connections, open streams of notices among them
_DRAIN_S: Final = 2  # what is being answered at SIGTERM

_log = structlog.get_logger(__name__)


def serve(settings: SimulatorSettings) -> None:
    """Serve until SIGTERM or SIGINT; raises UnavailableError where the address is taken."""
    around = Surroundings(
        shelf=Shelf(settings.phones, lambda: Deployment.read(settings.deployment)),
        sandbox=Sandbox(settings.sandbox_command),
        connect=signer_client,
        connect_enrolment=enrolment_client,
        now=lambda: datetime.now(UTC),
    )
    listener = _listen(settings)
    config = uvicorn.Config(
        make_application(around, settings.port),
        log_config=None,  # ours
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    _log.info("serving", address=settings.listen, port=settings.port)
    uvicorn.Server(config).run([listener])
    _log.info("stopped")


def _listen(settings: SimulatorSettings) -> socket.socket:
    host = settings.listen.rpartition(":")[0].strip("[]")
    try:
        return socket.create_server((host, settings.port), backlog=128)
    except (OSError, OverflowError):
        raise UnavailableError(f"cannot listen on {settings.listen}: is it taken?") from None


def main() -> int:
    """Run the process; 1 and one clear line where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m mobile_share.simulator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings file (TOML)")
    arguments = parser.parse_args()
    harden()
    try:
        settings = load_settings(SimulatorSettings, arguments.config)
        configure_logs("simulator", settings.log_file)
        serve(settings)
    except SignerError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
