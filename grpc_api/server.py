"""One gRPC listener, with everything that every listener has."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Sequence

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from grpc_api.interceptors.around import Surround, SurroundInterceptor
from grpc_api.interceptors.callers import Callers, OnDenied, caller_surround, unrecorded
from grpc_api.interceptors.correlation import correlation_surround
from grpc_api.interceptors.deadlines import deadline_surround
from grpc_api.interceptors.decoding import typed
from grpc_api.interceptors.errors import error_surround
from grpc_api.interceptors.gate import gate_surround
from grpc_api.interceptors.observation import observation_surround
from grpc_api.interceptors.provenance import phone_surround
from grpc_api.interceptors.uploads import upload_surround
from grpc_api.server_options import INTERNAL_SERVER_OPTIONS, SERVER_OPTIONS, Options
from signer_core.errors import UnavailableError

GRACE_S = 5.0  # for calls under way when the process is told to stop
FINISH_S = 65.0  # for what must not be cut off: a judgement has 60 s (docs/spec/ecdsa2p.md §3.1.1)

_log = structlog.get_logger()


def make_internal_server(
    callers: Callers, on_denied: OnDenied = unrecorded, gate: Callable[[], None] | None = None
) -> grpc.aio.Server:
    """Make a server for other processes; `callers` says who may call which service.

    `gate` raises while nothing new may begin.
    """
    gates = [] if gate is None else [gate_surround(gate)]
    guard = caller_surround(callers, on_denied)
    return _server([*_common(), guard, *gates], INTERNAL_SERVER_OPTIONS)


async def _anywhere(_source: str) -> None:
    """Let every address in."""


def make_phone_server(admit: Callable[[str], Awaitable[None]] = _anywhere) -> grpc.aio.Server:
    """Make a server for phones: whoever the listener's TLS lets in may call what is registered.

    `admit` raises where an address, or everybody, may not call now.
    """
    return _server([*_common(), phone_surround(admit)], SERVER_OPTIONS)


def listen(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    """Open a listener, port 0 for any free one, and return its port.

    Raises:
        UnavailableError: the address is taken or is none of this machine's.
    """
    try:
        return server.add_secure_port(address, credentials)
    except RuntimeError:
        raise UnavailableError(f"cannot listen on {address}: is it taken?") from None


async def add_health_and_reflection(
    server: grpc.aio.Server, services: Sequence[str], *, serving: bool = True
) -> health.aio.HealthServicer:
    """Add `grpc.health.v1`, telling of these full names and of the whole, and reflection.

    Both are for callers of the allow-list only, as everything on an internal listener. `serving` is
    false for a process that says so later. Returns health, for `serve_until_stopped`.
    """
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await say(servicer, services, serving=serving)
    names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return servicer


async def say(
    servicer: health.aio.HealthServicer, services: Sequence[str], *, serving: bool
) -> None:
    """Tell health of these full names and of the whole; without effect once draining began."""
    status = health_pb2.HealthCheckResponse
    for name in ("", *services):
        await servicer.set(name, status.SERVING if serving else status.NOT_SERVING)


async def serve_until_stopped(
    servers: Sequence[grpc.aio.Server],
    health_servicer: health.aio.HealthServicer,
    finish: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run servers until SIGTERM or SIGINT, then drain them.

    1. Health says NOT_SERVING; new calls and streams are refused.
    2. `finish` ends what must not be cut off: judgements of a PIN.
    3. What is still open has 5 s to end; then it is cut off.
    """
    await _serve_until_told(servers)
    _log.info("draining")
    await health_servicer.enter_graceful_shutdown()  # 1
    draining = [asyncio.ensure_future(server.stop(FINISH_S)) for server in servers]
    if finish is not None:
        await finish()  # 2
    await asyncio.gather(*(server.stop(GRACE_S) for server in servers), *draining)  # 3


async def _serve_until_told(servers: Sequence[grpc.aio.Server]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    for server in servers:
        await server.start()
    _keep_what_is_loaded()
    await stopped.wait()


def _keep_what_is_loaded() -> None:
    """Take what is loaded by now, 200,000 objects, out of the garbage collector's sight.

    It looked at all of them every few hundred signatures, for 70 ms in which nobody was served.
    """
    gc.collect()
    gc.freeze()


def _common() -> list[Surround]:
    return [
        error_surround,
        upload_surround,
        correlation_surround,
        observation_surround,
        deadline_surround(),
    ]


def _server(surrounds: Sequence[Surround], options: Options) -> grpc.aio.Server:
    interceptors = [SurroundInterceptor(surrounds, typed)]
    return grpc.aio.server(interceptors=interceptors, options=options)
