"""The API for signatures by hash, over a signer that answers as a test wants."""

import dataclasses
import hashlib

import httpx
import pytest

from grpc_api.clients.offers import CreatedOffer, OfferView
from portal_web.application import make_application
from portal_web.signing_api.routes import SigningParts
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError, UnavailableError
from signer_core.protocol.offer_link import parse_link, same_device_code
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.model import OfferState, OfferStatus
from tests.fakes.web_trust import Trust

PATH = "/api/v1/signing-offers"
OFFER, SECRET = b"o" * 16, b"s" * 32
HASH = hashlib.sha256(b"contract").hexdigest()
WISH = {
    "purpose": "Договір",
    "idempotency_key": "42",
    "files": [{"name": "договір.docx", "file_hash": HASH}],
}


@dataclasses.dataclass
class Signer:
    """Knows one offer, of the bank; the bank and the shop have secrets."""

    created: list = dataclasses.field(default_factory=list)
    withdrawn: list = dataclasses.field(default_factory=list)
    fails: Exception | None = None

    async def check_secret(self, partner_id, secret):
        if (partner_id, secret) not in {("bank", "right"), ("shop", "right")}:
            raise DeniedError("this is not the partner's secret")

    async def create(self, offer):
        if self.fails:
            raise self.fails
        self.created.append(offer)
        return CreatedOffer(OFFER, 1_900_000_000, SECRET)

    async def get(self, offer_id):
        if offer_id != OFFER:
            raise NotFoundError("no such offer")
        state = OfferState(OfferStatus.DECLINED, 1_900_000_000, "не зараз")
        return OfferView(state, "bank", RequestKind.HASHED_FILES_SIGNING, "p", "", True, SECRET)

    async def withdraw(self, offer_id):
        self.withdrawn.append(offer_id)


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
async def web(signer):
    async def serving():
        return True

    parts = SigningParts(signer, signer, "https://sign.example")
    app = make_application(Trust(), serving, signing=parts)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(
        transport=transport, base_url="http://portal", auth=("bank", "right")
    )
    async with client:
        yield client


async def test_an_offer_is_made_for_who_calls(web, signer):
    answer = await web.post(PATH, json=WISH)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert (told["offer_id"], told["expires_at_s"]) == (OFFER.hex(), 1_900_000_000)
    link = parse_link(told["link"])
    assert (link.offer_id, link.code) == (OFFER, same_device_code(SECRET, OFFER))
    (made,) = signer.created
    assert (made.relying_party_id, made.kind) == ("bank", RequestKind.HASHED_FILES_SIGNING)
    (file,) = made.files
    assert (file.name, file.file_hash.hex()) == ("договір.docx", HASH)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic YmFuaw==",  # bank
        "Basic YmFuazo=",  # bank:
        "Basic OnJpZ2h0",  # :right
        "Basic YmFuazp3cm9uZw==",  # bank:wrong
        "Basic /w==",
        "Bearer YmFuazpyaWdodA==",
    ],
)
async def test_who_is_no_partner_gets_nothing(web, signer, header):
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("POST", PATH),
        ("GET", f"{PATH}/{OFFER.hex()}"),
        ("DELETE", f"{PATH}/{OFFER.hex()}"),
    ):
        answer = await web.request(method, path, json=WISH, headers=headers, auth=None)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert (signer.created, signer.withdrawn) == ([], [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": 5}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"files": []}, "files"),
        ({"files": WISH["files"] * 65}, "files"),
        ({"files": [{"name": "a", "file_hash": HASH[:-2]}]}, "files.0.file_hash"),
        ({"files": [{"name": "a", "file_hash": HASH.upper()}]}, "files.0.file_hash"),
        ({"files": [{"name": "a", "file_hash": HASH + "\n"}]}, "files.0.file_hash"),
        ({"files": [{"name": 1, "file_hash": HASH}]}, "files.0.name"),
        ({"files": "all"}, "files"),
        ({"ttl_s": "60"}, "ttl_s"),
        ({"ttl_s": 86_401}, "ttl_s"),
        ({"ttl_s": True}, "ttl_s"),
        ({"relying_party_id": "shop"}, "relying_party_id"),
        ({"idempotency_key": None}, "idempotency_key"),
    ],
)
async def test_a_field_of_a_wrong_kind_is_named(web, signer, change, field):
    answer = await web.post(PATH, json=WISH | change)
    assert answer.status_code == 422
    assert answer.json()["title"].startswith(f"{field}: ")
    assert signer.created == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 60_000])
async def test_what_is_no_json_object_is_refused(web, body):
    answer = await web.post(PATH, content=body)
    assert answer.status_code == 422


async def test_five_megabytes_are_refused(web, signer):
    answer = await web.post(PATH, json=WISH | {"purpose": "x" * 5_000_000})
    assert (answer.status_code, signer.created) == (422, [])
    assert "64 KiB" in answer.json()["title"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestError("a name has no path"), 422),
        (DeniedError("this relying party may not ask for hashedFilesSigning"), 403),
        (UnavailableError("later"), 503),
    ],
)
async def test_what_the_signer_says_is_told(web, signer, error, status):
    signer.fails = error
    answer = await web.post(PATH, json=WISH)
    assert (answer.status_code, answer.json()["title"]) == (status, str(error))


async def test_the_state_of_ones_own_offer_is_told(web):
    told = (await web.get(f"{PATH}/{OFFER.hex()}")).json()
    assert told == {
        "status": "declined",
        "expires_at_s": 1_900_000_000,
        "decline_reason": "не зараз",
    }


async def test_ones_own_offer_is_withdrawn(web, signer):
    answer = await web.delete(f"{PATH}/{OFFER.hex()}")
    assert (answer.status_code, signer.withdrawn) == (204, [OFFER])


async def test_another_partners_offer_is_none(web, signer):
    path = f"{PATH}/{OFFER.hex()}"
    assert (await web.get(path, auth=("shop", "right"))).status_code == 404
    assert (await web.delete(path, auth=("shop", "right"))).status_code == 404
    assert signer.withdrawn == []


@pytest.mark.parametrize("name", ["x", "ab" * 15, "ab" * 17, "%2e%2e"])
async def test_a_malformed_id_is_no_offer(web, name):
    assert (await web.get(f"{PATH}/{name}")).status_code == 404
