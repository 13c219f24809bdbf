"""Structured logs: one JSON object a line, with ids and codes only, never data of a person."""

import logging
import sys
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

ALLOWED_KEYS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "process",
        "correlation_id",
        "method",
        "code",
        "duration_ms",
        "key_id",
        "request_id",
        "vault_id",
        "caller",
        "address",
        "kind",  # class of an unexpected exception
        "where",  # its places in the code
        "count",
        "state",
        "reason",
        "version",
        "port",
    }
)
_MAX_VALUE_CHARACTERS = 400


def configure_logs(process: str, path: Path | None = None) -> None:
    """Send the logs of this process to a file (appended), or to stderr where `path` is None."""
    stream = sys.stderr if path is None else path.open("a", encoding="utf-8", buffering=1)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep keys that are known to be harmless, with plain short values; hide everything else."""
    return {
        key: value if key in ALLOWED_KEYS and _is_plain(value) else "[redacted]"
        for key, value in event.items()
    }


def _is_plain(value: object) -> bool:
    """Bytes and containers never; they are where keys, documents and names hide."""
    if isinstance(value, str):
        return len(value) <= _MAX_VALUE_CHARACTERS
    return value is None or isinstance(value, int | float)
