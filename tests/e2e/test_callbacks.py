"""docs/flows/callbacks.md, through every process: a partner gets what a person signed."""

import base64
import dataclasses
import hashlib
import json
import os
import secrets
import signal
import ssl
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from deploy.demo.commands import DemoPhone
from deploy.system import System
from grpc_api.clients.offers import HashedFile, NewOffer
from grpc_api.clients.partners import MadePartner, NewSandboxPartner, PartnersClient
from grpc_api.credentials import internal_channel
from portal_web.cli.connection import System as Connection
from signer_core.protocol.request_kind import RequestKind
from tests.e2e.test_alerts import soon
from tests.e2e.test_sign_in import approve, open_link, scan
from tests.fakes.offers_made import assert_openssl_accepts
from tests.fixtures.receivers import CallbackReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

CONTENTS = {"договір.docx": b"contract", "план.png": b"picture"}


@dataclasses.dataclass
class Trusted:
    """What OpenSSL verifies with."""

    chain: tuple[bytes, ...]


async def make_partner(system: System, callback_address: str) -> MadePartner:
    tls = Connection(system.home.root)._tls()
    address = f"127.0.0.1:{system.ports['internal']}"
    new = NewSandboxPartner("Shop", ["https://shop.example/"], callback_address)
    async with internal_channel(address, "signer.internal", tls) as channel:
        return await PartnersClient(channel).create_sandbox(new)


async def sign_files(system: System, phone: DemoPhone, partner_id: str) -> bytes:
    wanted = NewOffer(
        relying_party_id=partner_id,
        kind=RequestKind.HASHED_FILES_SIGNING,
        purpose="Договір",
        idempotency_key=secrets.token_hex(16),
        files=[HashedFile(name, hashlib.sha256(one).digest()) for name, one in CONTENTS.items()],
    )
    async with Connection(system.home.root).offers() as offers:
        offer = await offers.create(wanted)
        assert (await approve(*await open_link(phone, scan(offer)))).signatures == len(CONTENTS)
    return offer.offer_id


def kill_worker(system: System) -> None:
    running = system.supervisor.find_processes()
    os.kill(next(one.pid for one in running if one.name == "worker"), signal.SIGKILL)


def verify(home: Path, partner_id: str, headers: dict[str, str], body: bytes) -> None:
    """Check our signature as a partner does, with the key that the ceremony published."""
    before, _, after = headers["X-Signature"].partition("..")
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    key = ECKey.import_key((home / "callbacks.pem").read_bytes())
    allowed = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    said = jws.deserialize_compact(f"{before}.{payload}.{after}", key, registry=allowed).headers()
    assert (said["aud"], said["jti"]) == (partner_id, headers["Idempotency-Key"])


async def test_a_partner_gets_what_was_signed_although_the_worker_dies(
    system: System, phone: DemoPhone, callback_receiver: CallbackReceiver, tmp_path: Path
) -> None:
    partner_id = (await make_partner(system, callback_receiver.address)).partner_id
    offer_id = await sign_files(system, phone, partner_id)
    soon(lambda: callback_receiver.received)
    kill_worker(system)
    callback_receiver.answers.set()
    soon(lambda: len(callback_receiver.received) > 1)
    once, again = callback_receiver.received
    assert once == again
    headers, body = once
    verify(system.home.public, partner_id, headers, body)
    told = json.loads(body)
    assert (told["offer_id"], told["status"]) == (offer_id.hex(), "approved")
    root = ssl.PEM_cert_to_DER_cert((system.home.public / "root.pem").read_text())
    assert [one["name"] for one in told["signatures"]] == list(CONTENTS)
    for one in told["signatures"]:
        signature = base64.b64decode(one["signature"])
        assert_openssl_accepts(signature, CONTENTS[one["name"]], Trusted((root,)), tmp_path)
