"""Wait until every process says that it serves, or say why it will not."""

import http.client
import time
from collections.abc import Mapping
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.home import Home
from deploy.layout import LISTENERS
from deploy.supervision import StartError, Supervisor
from deploy.watch import GIVEN_UP, last_words

_DEADLINE_S = 180  # a busy machine with seven processes that start at once
_PAUSE_S = 0.1
_CHECK_TIMEOUT_S = 2
_HTTP = ("portal", "simulator")


def wait_until_serving(home: Home, ports: Mapping[str, int], supervisor: Supervisor) -> None:
    """Return when every process with a port serves.

    Raises:
        StartError: a process gave up, or the time is over.
    """
    deadline = time.monotonic() + _DEADLINE_S
    waiting = _waiting(ports)
    credentials = _credentials(home.tls("health"))
    while waiting:
        _fail_on_fatal(home, supervisor)
        for name, role in list(waiting.items()):
            if _serves(role, ports[name], credentials):
                del waiting[name]
        if waiting and time.monotonic() > deadline:
            raise StartError(_too_late(home, waiting))
        time.sleep(_PAUSE_S if waiting else 0)


def _too_late(home: Home, waiting: Mapping[str, str]) -> str:
    """Name who is late, each process with the last thing it said."""
    processes = {name.replace(LISTENERS[role][0], role, 1) for name, role in waiting.items()}
    said = "; ".join(f"{one} last said: {last_words(home, one)}" for one in sorted(processes))
    return f"{' and '.join(waiting)} did not start in time: see {home.logs}. {said}"


def _waiting(ports: Mapping[str, int]) -> dict[str, str]:
    """Return the role behind each listener that answers health checks."""
    roles = {names[0]: role for role, names in LISTENERS.items()}
    listeners = {name: name.partition("-")[0] for name in ports}
    return {name: roles[kind] for name, kind in listeners.items() if kind in roles}


def _serves(process: str, port: int, credentials: grpc.ChannelCredentials) -> bool:
    if process in _HTTP:
        return _answers(port)
    options = [("grpc.ssl_target_name_override", f"{process}.internal")]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=_CHECK_TIMEOUT_S
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _answers(port: int) -> bool:
    """Ask by HTTP who has no gRPC."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CHECK_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _credentials(tls: Path) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=(tls / "ca.pem").read_bytes(),
        private_key=(tls / "key.pem").read_bytes(),
        certificate_chain=(tls / "cert.pem").read_bytes(),
    )


def _fail_on_fatal(home: Home, supervisor: Supervisor) -> None:
    processes = supervisor.find_processes()
    if not processes:
        raise StartError(f"the supervisor ended: see {home.logs / 'supervisord.log'}")
    for process in processes:
        if process.state == GIVEN_UP:
            raise StartError(f"{process.name} does not start: {last_words(home, process.name)}")
