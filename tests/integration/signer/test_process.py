"""The process itself: starts without its neighbours, serves health, stops when told."""

import asyncio
import json
import signal
import socket
import sys
import time

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from signer_core.pki.authority import authority_name
from signer_core.pki.registry import issue_registry
from tests.fakes.pki import issuance, make_hierarchy, new_key
from tests.fakes.signer_world import pem


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def settings(world, tmp_path):
    """A signer of its own in a folder of its own; vault and registrar are not there."""
    hierarchy = world.hierarchy
    registry = issue_registry(
        hierarchy.root, issuance(), new_key().public_key(), authority_name("R", "UA", "T")
    )
    chain = (hierarchy.issuing, hierarchy.device, hierarchy.infrastructure)
    (tmp_path / "root.pem").write_bytes(world.root_pem)
    (tmp_path / "chain.pem").write_bytes(b"".join(pem(one.certificate) for one in chain))
    (tmp_path / "registry.pem").write_bytes(pem(registry))
    (tmp_path / "relying-parties.json").write_text("[]")
    tls = world.tls("signer.internal")
    ports = [free_port() for _ in range(3)]
    lines = {
        "phone_listen": f"127.0.0.1:{ports[0]}",
        "enrolment_listen": f"127.0.0.1:{ports[1]}",
        "internal_listen": f"127.0.0.1:{ports[2]}",
        "database_url": f"sqlite+aiosqlite:///{tmp_path}/process.db",
        "vault_address": f"127.0.0.1:{free_port()}",
        "vault_id": "vault-1",
        "registrar_address": f"127.0.0.1:{free_port()}",
        "relying_parties": f"{tmp_path}/relying-parties.json",
        "registry_cert": f"{tmp_path}/registry.pem",
        "ca_chain": f"{tmp_path}/chain.pem",
        "root": f"{tmp_path}/root.pem",
    }
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    text += f'[tls]\ncert = "{tls.cert}"\nkey = "{tls.key}"\nca = "{tls.ca}"\n'
    text += '[callers]\n"grpc.health.v1.Health" = ["health.internal"]\n'
    path = tmp_path / "signer.toml"
    path.write_text(text)
    world.ports["internal"] = ports[2]
    return path


async def start(settings):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "grpc_api", "signer", "--config", str(settings)),
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_without_its_neighbours_and_stops_when_told(world, settings):
    process = await start(settings)
    stub = health_pb2_grpc.HealthStub(await world.internal("health.internal"))
    check = health_pb2.HealthCheckRequest(service="signer.internal.v1.SigningService")
    async with asyncio.timeout(30):
        answer = await stub.Check(check, wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stopped_at = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = await process.communicate()
    assert (process.returncode, "Traceback" in err.decode()) == (0, False)
    assert time.monotonic() - stopped_at < 8


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("registry.pem", ""),
        ("relying-parties.json", '["a.b.c"]'),
        ("relying-parties.json", "{}"),
        ("chain.pem", pem(make_hierarchy().issuing.certificate).decode()),
        ("signer.toml", "phone_listen = 1"),
    ],
)
async def test_a_wrong_file_is_one_sentence_and_no_start(settings, name, content):
    (settings.parent / name).write_text(content)
    process = await start(settings)
    _, err = await process.communicate()
    assert process.returncode != 0
    lines = err.decode().strip().splitlines()
    assert "Traceback" not in err.decode()
    assert lines
