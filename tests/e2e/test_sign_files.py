"""docs/flows/sign-files.md, through every process, with the real protocol."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.commands import DemoPhone
from deploy.system import System
from grpc_api.clients.offers import HashedFile, NewOffer, OffersClient
from portal_web.cli.connection import System as Connection
from signer_core.protocol.request_kind import RequestKind
from tests.e2e.test_sign_in import COLLECTOR, approve, open_link, scan
from tests.fakes.offers_made import assert_openssl_accepts

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

CONTENTS = {"договір.docx": b"contract", "план.png": b"picture", "дані.csv": b"numbers"}


@pytest.fixture
async def offers(system: System) -> AsyncIterator[OffersClient]:
    async with Connection(system.home.root).offers() as client:
        yield client


async def test_files_of_any_type_are_signed_by_their_hashes_under_one_pin(
    offers: OffersClient, phone: DemoPhone, tmp_path: Path
) -> None:
    readable = "договір.docx"
    files = [
        HashedFile(name, hashlib.sha256(content).digest(), content if name == readable else b"")
        for name, content in CONTENTS.items()
    ]
    wanted = NewOffer(
        relying_party_id="sandbox-notary",
        kind=RequestKind.HASHED_FILES_SIGNING,
        purpose="Додатки до договору",
        idempotency_key=secrets.token_hex(16),
        files=files,
    )
    offer = await offers.create(wanted)
    opened, request = await open_link(phone, scan(offer))
    assert {file.name: file.content for file in request.files} == {
        name: content if name == readable else b"" for name, content in CONTENTS.items()
    }
    assert (await approve(opened, request)).signatures == len(CONTENTS)
    result = await offers.collect(offer.offer_id, COLLECTOR)
    assert [one.name for one in result.signatures] == list(CONTENTS)
    for one in result.signatures:
        assert_openssl_accepts(one.signature, CONTENTS[one.name], result, tmp_path)
