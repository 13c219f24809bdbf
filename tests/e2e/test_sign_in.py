"""docs/flows/sign-in.md, through every process, with the real protocol."""

import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.demo.commands import DemoPhone
from deploy.system import System
from grpc_api.clients.offers import CreatedOffer, NewOffer, OffersClient, OfferStatus
from mobile_share.cli.context import SANDBOX_PHOTO
from mobile_share.cli.screen import now_utc
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone, open_phone
from mobile_share.presence import confirm
from mobile_share.requests import Request
from mobile_share.signing import Outcome, fetch_request, prepare
from mobile_share.wire import signer_client
from portal_web.cli.connection import System as Connection
from signer_core.errors import DeniedError
from signer_core.identifiers import RequestId
from signer_core.protocol.offer_link import (
    parse_link,
    parse_short,
    qr_link,
    same_device_link,
)
from signer_core.protocol.request_kind import RequestKind
from tests.e2e.conftest import PIN
from tests.fakes.offers_made import assert_openssl_accepts

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

STATEMENT = "a login at the bank, v1\nhttps://sign.example\nsandbox-bank\n-"
COLLECTOR = b"c" * 32


@pytest.fixture
async def offers(system: System) -> AsyncIterator[OffersClient]:
    async with Connection(system.home.root).offers() as client:
        yield client


async def login(offers: OffersClient) -> CreatedOffer:
    wanted = NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.AUTH,
        purpose="Вхід до кабінету",
        idempotency_key=secrets.token_hex(16),
        challenge=hashlib.sha256(STATEMENT.encode()).digest(),
        statement=STATEMENT,
    )
    return await offers.create(wanted)


def scan(offer: CreatedOffer) -> str:
    return qr_link("https://sign.example", offer.offer_id, offer.link_secret, int(time.time()))


async def open_link(phone: DemoPhone, link: str) -> tuple[Phone, Request]:
    opened = open_phone(phone.folder, FileKeyStore(phone.folder))
    async with signer_client(opened) as signer:
        request_id = await signer.claim_offer(parse_link(link))
        return opened, await fetch_request(opened, signer, request_id, now_utc())


async def approve(phone: Phone, request: Request) -> Outcome:
    async with (
        signer_client(phone) as signer,
        prepare(phone, signer, request, SANDBOX_PHOTO) as prepared,
    ):
        return await prepared.sign(PIN)


async def test_a_person_signs_in_with_a_scanned_code(
    offers: OffersClient, phone: DemoPhone, tmp_path: Path
) -> None:
    offer = await login(offers)
    states = offers.watch(offer.offer_id)
    assert (await anext(states)).status is OfferStatus.OPEN
    opened, request = await open_link(phone, scan(offer))
    shown = await anext(states)
    assert (shown.status, shown.verification_number) == (
        OfferStatus.SHOWN,
        request.verification_number,
    )
    assert (request.statement, request.relying_party.party_id) == (STATEMENT, "sandbox-bank")
    assert (await approve(opened, request)).is_confirmed
    assert (await anext(states)).status is OfferStatus.APPROVED
    result = await offers.collect(offer.offer_id, COLLECTOR)
    (signed,) = result.signatures
    assert_openssl_accepts(signed.signature, STATEMENT.encode(), result, tmp_path)


async def test_a_declined_login_tells_why(offers: OffersClient, phone: DemoPhone) -> None:
    offer = await login(offers)
    opened, request = await open_link(phone, scan(offer))
    async with signer_client(opened) as signer:
        await signer.decline_request(RequestId(request.request_id), "не я")
    state = (await offers.get(offer.offer_id)).state
    assert (state.status, state.decline_reason) == (OfferStatus.DECLINED, "не я")


async def test_a_human_is_confirmed_without_a_pin(offers: OffersClient, phone: DemoPhone) -> None:
    wanted = NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.ANTIBOT,
        purpose="Перевірка перед голосуванням",
        idempotency_key=secrets.token_hex(16),
        challenge=hashlib.sha256(b"poll 7").digest(),
        same_device=True,
    )
    offer = await offers.create(wanted)
    link = same_device_link("https://sign.example", offer.offer_id, offer.link_secret)
    opened, request = await open_link(phone, link)
    async with signer_client(opened) as signer:
        await confirm(opened, signer, request, SANDBOX_PHOTO)
        back = await signer.get_return_url(request.request_id)
    with pytest.raises(DeniedError):
        await offers.collect(offer.offer_id, COLLECTOR)
    code = parse_short(parse_qs(urlsplit(back).query)["r"][0])
    result = await offers.collect(offer.offer_id, COLLECTOR, code)
    assert (len(result.antibot_token), result.certificate, result.signatures) == (32, b"", ())
