"""gRPC is loaded with the way to poll that we chose, and still knows it (ADR 21)."""

import os
import subprocess
import sys

import pytest

import grpc_api  # noqa: F401  chooses before gRPC is loaded

LOAD = "import {}, grpc; grpc.insecure_channel('127.0.0.1:1').close()"


def loaded(first: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "GRPC_EXPERIMENTS"}
    command = [sys.executable, "-c", LOAD.format(first)]
    done = subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stderr


def test_the_names_are_known():
    assert "Unknown experiment" not in loaded("grpc_api")


def test_an_unknown_name_would_be_told():
    assert "Unknown experiment: no_such" in loaded("os", GRPC_EXPERIMENTS="no_such")


def test_whoever_runs_it_may_choose_otherwise():
    assert "Unknown experiment: no_such" in loaded("grpc_api", GRPC_EXPERIMENTS="no_such")


@pytest.mark.parametrize("start", ["grpc_api.signer", "hsm_module.__main__", "mobile_share.cli"])
def test_every_process_chooses_before_grpc_is_loaded(start):
    """gRPC reads the names as it is loaded: whoever imports it first must have chosen."""
    look = (
        "import sys, os, builtins; real = builtins.__import__\n"
        "def first(name, *rest, **more):\n"
        "    if name == 'grpc' or name.startswith('grpc.'):\n"
        "        assert 'GRPC_EXPERIMENTS' in os.environ, 'too late'\n"
        "    return real(name, *rest, **more)\n"
        f"builtins.__import__ = first\nimport {start}"
    )
    kept = {name: value for name, value in os.environ.items() if name != "GRPC_EXPERIMENTS"}
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, env=kept, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
