"""The listener of metrics, and the way of spans out of a process."""

import urllib.error
import urllib.request

import pytest

from grpc_api.telemetry import telemetry
from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.observe.metrics import CALLS
from tests.integration.signer.test_process import free_port


def fetch(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


def test_metrics_are_shown_while_the_process_runs():
    port = free_port()
    CALLS.labels("test.v1.Service/Shown", "ok").inc()
    with telemetry("vault", f"127.0.0.1:{port}", ""):
        text = fetch(port)
    assert 'signer_grpc_calls_total{code="ok",method="test.v1.Service/Shown"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    with pytest.raises(urllib.error.URLError):
        fetch(port)


@pytest.mark.parametrize("address", ["0.0.0.0:9476", "192.0.2.1:9476", "9476", "host:1", "[::]:1"])
def test_metrics_are_shown_to_this_machine_only(address):
    with (
        pytest.raises(InvalidRequestError, match="must be on loopback"),
        telemetry("vault", address, ""),
    ):
        pass


def test_a_taken_address_is_one_clear_line():
    address = f"127.0.0.1:{free_port()}"
    with (
        telemetry("vault", address, ""),
        pytest.raises(UnavailableError, match="cannot show metrics"),
        telemetry("signer", address, ""),
    ):
        pass


@pytest.mark.parametrize(
    "endpoint", ["http://collector.example:4317", "collector:4317", "https://"]
)
def test_spans_leave_the_machine_only_by_tls(endpoint):
    with pytest.raises(InvalidRequestError), telemetry("vault", "", endpoint):
        pass
