"""The process itself: starts without its neighbours, serves health, stops when told."""

import asyncio
import json
import signal
import socket
import sys
import time

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_api.signer import find_device_ca, read_pem
from signer_core.errors import InvalidRequestError
from signer_core.pki.authority import authority_name
from signer_core.pki.registry import issue_registry
from tests.fakes.pki import issuance, make_hierarchy, new_key
from tests.fakes.signer_world import key_pem, pem, public_pem


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
    (tmp_path / "registrar.pem").write_bytes(public_pem(world.registrar.key))
    (tmp_path / "callback-key.pem").write_bytes(key_pem(new_key()))
    tls = world.tls("signer.internal")
    ports = [free_port() for _ in range(3)]
    lines = {
        "phone_listen": f"127.0.0.1:{ports[0]}",
        "enrolment_listen": f"127.0.0.1:{ports[1]}",
        "internal_listen": f"127.0.0.1:{ports[2]}",
        "database_url": f"sqlite+aiosqlite:///{tmp_path}/process.db",
        "vault_addresses": [f"127.0.0.1:{free_port()}"],
        "vault_id": "vault-1",
        "registrar_address": f"127.0.0.1:{free_port()}",
        "registry_cert": f"{tmp_path}/registry.pem",
        "registrar_key": f"{tmp_path}/registrar.pem",
        "ca_chain": f"{tmp_path}/chain.pem",
        "root": f"{tmp_path}/root.pem",
        "public_url": "https://sign.example",
        "callback_key": f"{tmp_path}/callback-key.pem",
        "audit_folder": f"{tmp_path}/audit-of-the-process",
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


async def test_without_its_vault_it_is_not_serving_yet_and_stops_when_told(world, settings):
    process = await start(settings)
    stub = health_pb2_grpc.HealthStub(await world.internal("health.internal"))
    check = health_pb2.HealthCheckRequest(service="signer.internal.v1.SigningService")
    async with asyncio.timeout(30):
        answer = await stub.Check(check, wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    stopped_at = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = await process.communicate()
    assert (process.returncode, "Traceback" in err.decode()) == (0, False)
    assert time.monotonic() - stopped_at < 8


async def test_a_wrong_file_is_one_sentence_and_no_start(settings):
    (settings.parent / "registry.pem").write_bytes((settings.parent / "root.pem").read_bytes())
    process = await start(settings)
    _, err = await process.communicate()
    assert (process.returncode, "Traceback" in err.decode()) == (1, False)
    assert "signer: the registry certificate is not" in err.decode().splitlines()[-1]


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_refused(tmp_path, content):
    path = tmp_path / "chain.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidRequestError, match="no readable certificates"):
        read_pem(path)


def test_the_device_ca_is_exactly_one_of_the_chain():
    made = make_hierarchy()
    others = [made.issuing.certificate, made.infrastructure.certificate, made.root.certificate]
    device = made.device.certificate
    assert find_device_ca([*others, device]) == device
    for chain in (others, [*others, device, device]):
        with pytest.raises(InvalidRequestError, match="exactly one"):
            find_device_ca(chain)
