"""Every metric of every process; docs/operations.md says what each is for.

Labels are words of a closed list (codes, methods, steps): never an id, a name or an address.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # CPU, memory and open files of the process

# Seconds: a token call takes 0.1 ms, a durable commit 1 to 20 ms, Argon2id and PDFs up to 1 s.
_FINE: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_COARSE: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600)

CALLS: Final = Counter(
    "signer_grpc_calls", "Calls that ended", ["method", "code"], registry=REGISTRY
)
CALL_SECONDS: Final = Histogram(
    "signer_grpc_call_seconds",
    "From the first byte of a call to its end, a person's thinking included",
    ["method"],
    registry=REGISTRY,
    buckets=_COARSE,
)
CALLS_OPEN: Final = Gauge(
    "signer_grpc_calls_open", "Calls and streams open now", ["method"], registry=REGISTRY
)
STEP_SECONDS: Final = Histogram(
    "signer_step_seconds",
    "Work of one step, without waiting for the other side",
    ["step"],
    registry=REGISTRY,
    buckets=_FINE,
)
SESSIONS: Final = Counter(
    "signer_sessions", "Sessions of phones that ended, by outcome", ["code"], registry=REGISTRY
)
SESSIONS_OPEN: Final = Gauge("signer_sessions_open", "Sessions of phones now", registry=REGISTRY)
PIN_VERDICTS: Final = Counter(
    "signer_pin_verdicts", "Judgements of a typed PIN, by outcome", ["code"], registry=REGISTRY
)
AUDIT_EVENTS: Final = Counter(
    "signer_audit_events",
    "Events that were committed to an outbox",
    ["event", "result"],
    registry=REGISTRY,
)
AUDIT_WAITING: Final = Gauge(
    "signer_audit_waiting", "Events that are not in the audit log yet", registry=REGISTRY
)
AUDIT_ROWS: Final = Gauge("signer_audit_rows", "Rows of the audit log", registry=REGISTRY)
AUDIT_SPACE: Final = Gauge(
    "signer_audit_space_bytes", "Room on the disks of the audit log", ["kind"], registry=REGISTRY
)
TOKEN_SECONDS: Final = Histogram(
    "signer_token_seconds",
    "Calls to the token, without their wait for its one thread",
    ["operation"],
    registry=REGISTRY,
    buckets=_FINE,
)
TOKEN_QUEUE: Final = Gauge(
    "signer_token_queue", "Calls to the token that wait or run", registry=REGISTRY
)
TRANSACTION_SECONDS: Final = Histogram(
    "signer_transaction_seconds",
    "Database transactions, with their wait for a lock and for the disk",
    ["kind"],
    registry=REGISTRY,
    buckets=_FINE,
)
REQUESTS: Final = Counter(
    "signer_requests", "Signature requests that reached a state", ["status"], registry=REGISTRY
)
OFFERS: Final = Counter(
    "signer_offers",
    "Offers that reached a state, or were refused to a phone, by kind",
    ["kind", "status"],
    registry=REGISTRY,
)
