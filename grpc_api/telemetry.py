"""Metrics and spans of a process; both are off unless its settings say where they go."""

import ipaddress
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from prometheus_client import start_http_server

from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.observe.metrics import REGISTRY
from signer_core.observe.spans import CORRELATION

_random = random.SystemRandom()


@contextmanager
def telemetry(process: str, metrics_listen: str, otlp_endpoint: str) -> Iterator[None]:
    """Show metrics at `http://<metrics_listen>/metrics`, send spans to `otlp_endpoint`.

    Raises:
        InvalidRequestError: an address that is not of this machine, where only such a one may be.
        UnavailableError: the address is taken.
    """
    stop_metrics = _show_metrics(metrics_listen) if metrics_listen else lambda: None
    provider = make_provider(process, _exporter(otlp_endpoint)) if otlp_endpoint else None
    if provider is not None:
        trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        stop_metrics()
        if provider is not None:
            provider.shutdown()  # sends what is left


def make_provider(process: str, processor: SpanProcessor) -> TracerProvider:
    """Make the source of spans: one action has one trace, whichever process it passes."""
    resource = Resource({"service.name": process})
    provider = TracerProvider(
        resource=resource, id_generator=_CorrelatedIds(), shutdown_on_exit=False
    )
    provider.add_span_processor(processor)
    return provider


def _show_metrics(address: str) -> Callable[[], None]:
    host, port = _loopback(address)
    try:
        server, thread = start_http_server(port, host, REGISTRY)
    except OSError:
        raise UnavailableError(f"cannot show metrics on {address}: is it taken?") from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def _loopback(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    try:
        if ipaddress.ip_address(host.strip("[]")).is_loopback and 0 < int(port) < 1 << 16:
            return host.strip("[]"), int(port)
    except ValueError:
        pass  # the same sentence for a malformed one
    raise InvalidRequestError(f"metrics have no password: {address} must be on loopback")


def _exporter(endpoint: str) -> BatchSpanProcessor:
    url = urlsplit(endpoint)
    if url.scheme == "http" and url.netloc:
        _loopback(url.netloc)  # plain text leaves no machine
    elif url.scheme != "https" or not url.netloc:
        raise InvalidRequestError(f"{endpoint} is no http:// or https:// address")
    return BatchSpanProcessor(OTLPSpanExporter(endpoint, insecure=url.scheme == "http"))


class _CorrelatedIds(IdGenerator):
    """The correlation id is the trace's id: no other header has to cross the processes."""

    def generate_span_id(self) -> int:
        return _random.getrandbits(63) + 1

    def generate_trace_id(self) -> int:
        known = structlog.contextvars.get_contextvars().get(CORRELATION)
        try:
            bound = int(str(known), 16)
        except ValueError:
            bound = 0
        return bound or _random.getrandbits(127) + 1
