"""Logs are JSON lines and carry nothing of a person, whatever the code hands them."""

import json

import pytest
import structlog

from grpc_api.logs import configure_logs


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "process.jsonl"
    yield path
    structlog.get_config()["logger_factory"]()._file.close()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_json_with_its_process_and_time(log_file):
    configure_logs("vault", log_file)
    structlog.get_logger().info("call", code="ok", duration_ms=1.5)
    (line,) = log_file.read_text().splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "call",
        "level": "info",
        "process": "vault",
        "code": "ok",
        "duration_ms": 1.5,
    }


@pytest.mark.parametrize(
    "values",
    [
        {"full_name": "Зразкова Олена"},
        {"pin": "12345"},
        {"code": b"12345"},
        {"reason": ["Зразкова", "12345"]},
        {"reason": "12345" * 100},
        {"kind": ValueError("12345 Зразкова")},
    ],
    ids=repr,
)
def test_what_is_not_known_to_be_harmless_is_hidden(log_file, values):
    configure_logs("signer", log_file)
    structlog.get_logger().info("something", **values)
    text = log_file.read_text()
    assert "12345" not in text
    assert "Зразкова" not in text
    assert "[redacted]" in text
