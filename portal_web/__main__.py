"""The portal process: `python -m portal_web --config var/portal/portal.toml`."""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from grpc_api.clients.health import HealthClient
from grpc_api.clients.login import LoginClient
from grpc_api.clients.offers import OffersClient
from grpc_api.clients.partners import PartnersClient
from grpc_api.clients.trust import TrustClient
from grpc_api.credentials import address_of_any, internal_channel
from grpc_api.hardening import harden
from grpc_api.logs import configure_logs
from grpc_api.process_certificate import ask_vault, renewing
from grpc_api.settings import load_settings
from grpc_api.telemetry import telemetry
from portal_web.application import make_application
from portal_web.developers.routes import DeveloperParts
from portal_web.login.routes import LoginParts
from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.keys import read_keys
from portal_web.sessions.session import Sessions
from portal_web.settings import PortalSettings
from portal_web.sign_in import rooms
from portal_web.signing.parts import SigningParts
from portal_web.signing.tickets import Tickets
from signer_core.errors import SignerError, UnavailableError
from signer_core.trust.desk import TrustDesk

_AT_ONCE: Final = rooms.MAX_WAITING + 512  # connections; whoever comes then is told 503
_DRAIN_S: Final = 5  # what is being answered at SIGTERM
_IDLE_S: Final = 15  # a connection that is kept open for another request

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Ends with code 0 after a signal; uvicorn's own handler lets the signal kill the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us."""
        yield


async def serve(settings: PortalSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UnavailableError: a file cannot be read, or the address is taken.
    """
    keys = read_keys(settings.cookie_keys_file)
    cookies = SealedCookies(keys, is_secure=settings.is_secure)
    sessions = Sessions(cookies)
    listener = listen(settings.listen)
    address = address_of_any(settings.signer_addresses)
    async with internal_channel(address, "signer.internal", settings.tls) as signer:
        desk = TrustDesk(TrustClient(signer))
        partners, offers = PartnersClient(signer), OffersClient(signer)
        app = make_application(
            desk,
            HealthClient(signer).is_serving,
            is_secure=settings.is_secure,
            phone_url=settings.phone_url,
            developers=DeveloperParts(partners, sessions, settings.public_url),
            login=LoginParts(
                public_url=settings.public_url,
                logins=LoginClient(signer),
                offers=offers,
                partners=partners,
                cookies=cookies,
            ),
            signing=SigningParts(offers, partners, cookies, Tickets(keys), settings.public_url),
        )
        server = http_server(app)
        _log.info("serving", address=settings.listen, port=listener.getsockname()[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
        async with renewing(settings.tls, ask_vault(settings.tls)):
            await server.serve([listener])
    _log.info("stopped")


def http_server(app: ASGIApp) -> uvicorn.Server:
    """Return the server of the portal, with its limits."""
    config = uvicorn.Config(
        app,
        log_config=None,  # ours
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody stands before us whom we would believe
        lifespan="off",
        limit_concurrency=_AT_ONCE,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    return _Server(config)


def listen(address: str) -> socket.socket:
    """Return a socket that listens at `host:port`.

    Raises:
        UnavailableError: the address is taken, or is none.
    """
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host, int(port)), backlog=1024)
    except (OSError, ValueError, OverflowError):
        raise UnavailableError(f"cannot listen on {address}: is it taken?") from None


def main() -> int:
    """Run the process; 1 and one clear line where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m portal_web", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings file (TOML)")
    arguments = parser.parse_args()
    harden()
    try:
        settings = load_settings(PortalSettings, arguments.config)
        configure_logs("portal", settings.log_file)
        with telemetry("portal", settings.metrics_listen, settings.otlp_endpoint):
            uvloop.run(serve(settings))
    except SignerError as error:
        sys.stderr.write(f"portal: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
