"""The partner API over HTTP: who may call, what it passes on, what it never does."""

import base64
import hashlib
import secrets
import time

import httpx
import pytest
from fastapi import FastAPI

from grpc_api.clients.offers import (
    CreatedOffer,
    OfferResult,
    OfferState,
    OfferStatus,
    OfferView,
    SignedFile,
)
from grpc_api.clients.partners import Partner
from portal_web.design.assets import Assets
from portal_web.design.pages import Pages
from portal_web.errors import render_errors
from portal_web.partner_api.bodies import Links
from portal_web.partner_api.desk import OfferDesk
from portal_web.partner_api.reading import MAX_BODY_BYTES
from portal_web.partner_api.routes import partner_routes
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError, UnavailableError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import short
from signer_core.protocol.request_kind import RequestKind

SECRET = "s" * 43
BANK, NOTARY = ("sandbox-bank", SECRET), ("sandbox-notary", SECRET)
PATH = "/partner/v1/offers"
HASH = hashlib.sha256(b"agreement").digest()


class Partners:
    def __init__(self):
        self.fails = None

    async def check_secret(self, partner_id, secret):
        if self.fails is not None:
            raise self.fails
        if secret != SECRET:
            raise DeniedError("this is not the partner's secret")

    async def get(self, partner_id):
        return Partner(partner_id, "record", "Банк", "Bank", (), (), "", (), has_secret=True)


class Offers:
    """What the signer would keep."""

    def __init__(self):
        self.made, self.views, self.collected = {}, {}, []

    async def create(self, offer):
        offer_id = self.made.setdefault(offer.idempotency_key, OfferId(secrets.token_bytes(16)))
        self.asked = offer
        state = OfferState(OfferStatus.OPEN, int(time.time()) + offer.ttl_s)
        fields = (offer.relying_party_id, offer.kind, offer.purpose, offer.return_address)
        self.views.setdefault(offer_id, OfferView(state, *fields, offer.same_device, b"\1" * 32))
        return CreatedOffer(offer_id, state.expires_at_s, b"\1" * 32)

    async def get(self, offer_id):
        if offer_id not in self.views:
            raise NotFoundError("no such offer")
        return self.views[offer_id]

    async def withdraw(self, offer_id):
        del self.views[offer_id]

    async def collect(self, offer_id, collector, return_code=b""):
        self.collected.append((offer_id, collector, return_code))
        signed = SignedFile("agreement.pdf", HASH, b"cms")
        return OfferResult((signed,), b"certificate", (b"issuer", b"root"), 1_700_000_000, b"")


@pytest.fixture
def partners():
    return Partners()


@pytest.fixture
def offers():
    return Offers()


@pytest.fixture
async def web(partners, offers):
    app = FastAPI()
    render_errors(app, Pages(Assets()))
    desk = OfferDesk(offers, lambda _, offer_id, __: Links(f"/sign/{offer_id.hex()}"))
    app.include_router(partner_routes(partners, desk))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://portal", auth=BANK) as web:
        yield web


def b64(data):
    return base64.b64encode(data).decode()


def wanted(**changed):
    file = {"name": "agreement.pdf", "file_hash": HASH.hex()}
    return {"purpose": "An agreement", "files": [file], **changed}


async def make(web, key="1", **changed):
    return await web.post(PATH, json=wanted(**changed), headers={"Idempotency-Key": key})


async def test_an_offer_is_made_as_asked(web, offers):
    document = {"name": "a.txt", "file_hash": HASH.hex(), "document": b64(b"agreement")}
    answer = await make(web, files=[document], return_address="https://bank.example/return")
    assert answer.status_code == 201
    said = answer.json()
    assert (said["status"], said["sign_url"]) == ("open", f"/sign/{said['offer_id']}")
    asked = offers.asked
    assert (asked.relying_party_id, asked.kind) == (BANK[0], RequestKind.HASHED_FILES_SIGNING)
    assert (asked.return_address, asked.ttl_s) == ("https://bank.example/return", 900)
    assert [(f.name, f.file_hash, f.document) for f in asked.files] == [
        ("a.txt", HASH, b"agreement")
    ]


async def test_the_same_key_is_the_same_offer_of_one_partner_only(web):
    first, again, other = await make(web), await make(web), await make(web, "2")
    assert first.json()["offer_id"] == again.json()["offer_id"] != other.json()["offer_id"]
    web.auth = httpx.BasicAuth(*NOTARY)
    assert (await make(web)).json()["offer_id"] != first.json()["offer_id"]


async def test_a_result_is_collected_under_the_partners_own_name(web, offers):
    offer_id = (await make(web)).json()["offer_id"]
    first = await web.post(f"{PATH}/{offer_id}/collect")
    code = short(b"\2" * 16)
    await web.post(f"{PATH}/{offer_id}/collect", json={"return_code": code})
    assert first.json()["signatures"] == [
        {"name": "agreement.pdf", "file_hash": HASH.hex(), "signature": b64(b"cms")}
    ]
    (_, who, none), (_, again, given) = offers.collected
    assert (who, none, given) == (again, b"", b"\2" * 16)
    web.auth = httpx.BasicAuth(*NOTARY)
    others = (await make(web)).json()["offer_id"]
    await web.post(f"{PATH}/{others}/collect")
    assert offers.collected[-1][1] != who


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/collect")])
async def test_another_partners_offer_is_not_there(web, offers, method, rest):
    offer_id = (await make(web)).json()["offer_id"]
    web.auth = httpx.BasicAuth(*NOTARY)
    answer = await web.request(method, f"{PATH}/{offer_id}{rest}")
    assert (answer.status_code, answer.json()["title"]) == (404, "no such offer")
    assert offers.collected == []
    assert len(offers.views) == 1


async def test_an_offer_is_withdrawn(web, offers):
    offer_id = (await make(web)).json()["offer_id"]
    assert (await web.delete(f"{PATH}/{offer_id}")).status_code == 204
    assert (await web.get(f"{PATH}/{offer_id}")).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ===",
        "Bearer abc",
        "Basic " + base64.b64encode(b"sandbox-bank").decode(),
        "Basic " + base64.b64encode(b"sandbox-bank:wrong").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + "A" * 4000,
    ],
)
async def test_who_does_not_show_a_secret_is_not_served(web, offers, header):
    web.auth = None
    headers = {"Idempotency-Key": "1"} | ({"Authorization": header} if header else {})
    answer = await web.post(PATH, json=wanted(), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert offers.made == {}


async def test_a_signer_that_is_away_is_not_a_wrong_secret(web, partners):
    partners.fails = UnavailableError("the other side does not answer: try again later")
    assert (await make(web)).status_code == 503


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[]", "the body is no JSON object"),
        (b"{", "the body is no JSON object"),
        (b'{"purpose": 7}', "purpose: "),
        (b"{}", "purpose: "),
        (b'{"purpose": "x", "colour": "red"}', "colour: "),
        (b'{"purpose": "x", "ttl_s": 1}', "ttl_s: "),
        (b'{"purpose": "x", "kind": "everything"}', "kind: "),
        (b'{"purpose": "x", "challenge": "%%%"}', "challenge: is no base64"),
        (b'{"purpose": "x", "files": [{"name": "a", "file_hash": 5}]}', "files.0.file_hash: "),
        (b'{"purpose": "x", "files": [{"name": "a", "file_hash": "AB"}]}', "files.0.file_hash: "),
        (b'{"purpose": "x", "challenge": 5}', "challenge: is no text in base64"),
        (b'{"purpose": "x", "files": [{"name": "a"}]}', "files.0.file_hash: "),
        (b"[" * 100_000, "the body is no JSON object"),
    ],
)
async def test_a_malformed_body_is_one_sentence_about_its_field(web, body, says):
    answer = await web.post(PATH, content=body, headers={"Idempotency-Key": "1"})
    assert answer.status_code == 422
    assert answer.json()["title"].startswith(says)
    assert "pydantic" not in answer.text


async def test_65_files_are_refused(web):
    files = [{"name": f"{n}.pdf", "file_hash": HASH.hex()} for n in range(65)]
    answer = await make(web, files=files)
    assert (answer.status_code, answer.json()["title"].split(":")[0]) == (422, "files")


async def test_a_body_that_is_too_long_is_told_so(web, offers):
    headers = {"Idempotency-Key": "1"}
    answer = await web.post(PATH, content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    assert (answer.status_code, "30 MiB" in answer.json()["title"]) == (422, True)
    assert offers.made == {}


async def test_without_an_idempotency_key_nothing_is_made(web, offers):
    assert (await web.post(PATH, json=wanted())).status_code == 422
    assert offers.made == {}


@pytest.mark.parametrize("offer_id", ["x", "A" * 32, "a" * 31, "g" * 32, "..%2F..", "%00" * 32])
async def test_an_id_that_is_none_is_not_there(web, offer_id):
    assert (await web.get(f"{PATH}/{offer_id}")).status_code in (404, 405)


@pytest.mark.parametrize("code", ["x", "A" * 21 + "B", "=" * 22])
async def test_a_malformed_return_code_collects_nothing(web, offers, code):
    offer_id = (await make(web)).json()["offer_id"]
    answer = await web.post(f"{PATH}/{offer_id}/collect", json={"return_code": code})
    assert answer.status_code == 422
    assert offers.collected == []


async def test_what_the_signer_refuses_is_told(web, offers):
    async def refuse(_):
        raise InvalidRequestError("the purpose has 1 to 300 characters")

    offers.create = refuse
    answer = await make(web)
    assert answer.json()["title"] == "the purpose has 1 to 300 characters"
