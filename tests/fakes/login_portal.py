"""A portal with its login, over the signer's own logins on SQLite, without a wire or a phone."""

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx
from cryptography.fernet import Fernet, MultiFernet
from joserfc import jwt
from joserfc.jwk import ECKey

from grpc_api.clients.offers import OfferStatus
from grpc_api.clients.partners import Partner
from portal_web.application import make_application
from portal_web.login.routes import LoginParts
from portal_web.sessions.cookies import SealedCookies
from portal_web.signing.parts import SigningParts
from portal_web.signing.tickets import Tickets
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.login.logins import Logins
from signer_core.login.ports import SignedChallenge
from signer_core.signing.relying_parties import RegistryRecord
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.logins import LoginRows
from tests.fakes.login import FakeVaultLogin
from tests.fakes.offers import FakeOffers
from tests.fakes.requests import issued_to
from tests.fakes.vault_ports import new_citizen
from tests.fakes.web_trust import Trust

ISSUER = "http://127.0.0.1:7440"
BACK = "https://bank.example/return"
SECRET = "s" * 43
AUTH = ("bank", SECRET)
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def partner(partner_id="bank", **changes):
    values = {
        "partner_id": partner_id,
        "record": "aaa.bbb.ccc",
        "name_uk": "Банк",
        "name_en": "Bank",
        "return_addresses": (BACK, f"{BACK}?x=1"),
        "scopes": ("auth", "profile", "person_code", "birthdate"),
        "callback_address": "",
        "keys": (),
        "has_secret": True,
    }
    return Partner(**values | changes)


class FakePartners:
    """PartnersService of a signer that is not there."""

    def __init__(self, *partners):
        self.partners = {one.partner_id: one for one in partners}
        self.asked = []

    async def get(self, partner_id):
        self.asked.append(partner_id)
        if partner_id not in self.partners:
            raise NotFoundError("no such partner")
        return self.partners[partner_id]

    async def check_secret(self, partner_id, secret):
        if secret != SECRET:
            raise DeniedError("this is not the secret")


@dataclass
class Approvals:
    """What phones have signed: `ApprovedOffers` beside the fake offers."""

    offers: FakeOffers
    statements: dict = field(default_factory=dict)
    collectors: dict = field(default_factory=dict)
    person_code: str = "1234567899"

    async def collect(self, offer_id, collector, return_code):
        offer = await self.offers.get(offer_id)
        if offer.state.status not in (OfferStatus.APPROVED, OfferStatus.CONSUMED):
            raise InvalidRequestError(f"this offer is not approved: it is {offer.state.status}")
        if self.collectors.setdefault(offer_id, collector) != collector:
            raise DeniedError("this offer was collected already")
        chain = issued_to(new_citizen(datetime.now(UTC), self.person_code))
        return SignedChallenge(
            client_id=offer.relying_party_id,
            challenge=hashlib.sha256(self.statements[offer_id].encode()).digest(),
            cades=b"cades",
            chain=(chain.certificate, *chain.chain),
            approved_at_s=int(time.time()),
        )


class SignerLogins(Logins):
    """The signer's logins with the face of `LoginClient`."""

    async def push(self, client_id, parameters):
        return await super().push(client_id, json.dumps(parameters)), 60

    async def take(self, client_id, reference):
        return json.loads(await super().take(client_id, reference))

    async def issue_tokens(self, login_id, client_id, token_hash, claims):
        return await super().issue_tokens(login_id, client_id, token_hash, json.dumps(claims))


class RememberingOffers(FakeOffers):
    """Remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.made = {}

    async def create(self, offer):
        created = await super().create(offer)
        self.made[created.offer_id] = offer
        return created


@dataclass
class Portal:
    """Everything a test of the provider touches."""

    offers: RememberingOffers
    partners: FakePartners
    approvals: Approvals
    logins: SignerLogins
    vault: FakeVaultLogin
    app: object

    def browser(self):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Accept": "text/html", "User-Agent": "Mozilla Firefox/1 (X11; Linux)"}
        return httpx.AsyncClient(transport=transport, base_url=ISSUER, headers=headers)

    def program(self):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ISSUER)

    async def approve(self, status=OfferStatus.APPROVED, offer_id=None):
        """Let a phone sign what the newest offer asks for."""
        offer_id = offer_id or list(self.offers.made)[-1]
        self.approvals.statements[offer_id] = self.offers.made[offer_id].statement
        await self.offers.become(offer_id, status)

    async def code(self, browser=None, **changes):
        """Go through the browser's part; return the parameters of the answer."""
        browser = browser or self.browser()
        waiting = await browser.get("/oauth/authorize", params=asked(**changes))
        assert waiting.status_code == 303, waiting.text
        await self.approve()
        flow = flow_of(waiting)
        back = await browser.get("/login/continue", params={"flow": flow})
        assert back.status_code == 303, back.text
        return answer_of(back)


def make_portal(engine, *partners):
    offers, vault = RememberingOffers(), FakeVaultLogin()
    known = FakePartners(*partners or (partner(),))
    approvals = Approvals(offers)
    records = [RegistryRecord(one, "jws") for one in map(_party, known.partners.values())]
    rows = LoginRows(engine, AuditOutbox(engine, lambda: datetime.now(UTC)))
    parties = _Parties({one.party.id: one for one in records})
    logins = SignerLogins(rows, approvals, parties, vault, lambda: datetime.now(UTC))
    keys = MultiFernet([Fernet(Fernet.generate_key())])
    cookies = SealedCookies(keys, is_secure=False)
    parts = LoginParts(ISSUER, logins, offers, known, cookies)

    async def serving():
        return True

    signing = SigningParts(offers, known, cookies, Tickets(keys), ISSUER)
    app = make_application(Trust(), serving, login=parts, signing=signing)
    return Portal(offers, known, approvals, logins, vault, app)


@dataclass(frozen=True)
class _Parties:
    records: dict

    async def get(self, relying_party_id):
        return self.records[relying_party_id]


@dataclass(frozen=True)
class _Record:
    id: str
    scopes: tuple


def _party(one):
    return _Record(one.partner_id, one.scopes)


def asked(**changes):
    """Return an authorization request; None leaves a parameter out."""
    values = {
        "response_type": "code",
        "client_id": "bank",
        "redirect_uri": BACK,
        "scope": "openid profile",
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def exchanged(code, **changes):
    """Return a token request."""
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    values |= {"code_verifier": VERIFIER}
    return {name: value for name, value in (values | changes).items() if value is not None}


def flow_of(answer):
    path = urlsplit(answer.headers["location"]).path
    assert path.startswith("/sign-in/"), path
    return path.removeprefix("/sign-in/")


def answer_of(response):
    """Return the parameters that a browser takes back to the partner."""
    target = urlsplit(response.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    return dict(parse_qsl(target.query))


def assertion(key, header=None, **changes):
    """Return a client assertion; None leaves a claim out."""
    now_s = int(time.time())
    claims = {"iss": "bank", "sub": "bank", "aud": ISSUER, "jti": secrets.token_hex(8)}
    claims |= {"iat": now_s, "exp": now_s + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    signed = jwt.encode(header or {"alg": "ES256"}, claims, key, algorithms=["ES256", "HS256"])
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
    }


def key_partner(key: ECKey):
    return partner(keys=(json.dumps(key.as_dict(private=False)),), has_secret=False)


async def token(portal, code, auth=AUTH, **changes):
    return await portal.program().post("/oauth/token", data=exchanged(code, **changes), auth=auth)


def assert_refused(answer, error, status=400):
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert "access_token" not in answer.json()
