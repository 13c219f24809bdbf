"""Partners that developers make for themselves, over gRPC."""

import json

import pytest
from joserfc import jwt

from grpc_api.clients.partners import NewSandboxPartner, PartnersClient
from grpc_api.servers.partner_limits import NewPartners
from hsm_module.login.payload import verify_payload
from signer_core.errors import DeniedError, InvalidRequestError, UnavailableError
from signer_core.partners.developers import Developers, NewPartner
from tests.fakes.partners import RETURN_ADDRESS, public_jwk
from tests.fakes.pki import new_key
from tests.fakes.signer_world import PUBLIC_URL

NEW = NewSandboxPartner("Моя крамниця", [RETURN_ADDRESS], source="192.0.2.1")


@pytest.fixture
async def client(world):
    return PartnersClient(await world.internal())


async def test_a_developer_gets_an_id_and_a_secret_at_once(world, client):
    made = await client.create_sandbox(NEW)
    partner = await client.get(made.partner_id)
    assert "вигаданий партнер «Моя крамниця»" in partner.name_uk
    assert "made-up partner “Моя крамниця”" in partner.name_en
    assert partner.has_secret
    assert len(made.secret) == 43
    await client.check_secret(made.partner_id, made.secret)


async def test_a_developer_gets_an_example_of_an_id_token(world, client):
    made = await client.create_sandbox(NEW)
    token = jwt.decode(made.example_id_token, world.vault.login.key, algorithms=["ES256"])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": PUBLIC_URL},
        aud={"essential": True, "value": made.partner_id},
        exp={"essential": True},
        nonce={"essential": True, "value": "example"},
    )
    rules.validate(token.claims)
    assert token.claims["sub"] == token.claims["acr"] == "example"
    payload = json.dumps(token.claims).encode()
    verify_payload(payload, PUBLIC_URL, int(world.clock().timestamp()))  # as the real vault does


async def test_without_an_example_the_partner_is_made_all_the_same(world, client, monkeypatch):
    async def refuse(_payload):
        raise InvalidRequestError("this vault signs ID tokens of its own issuer only")

    monkeypatch.setattr(world.vault.login, "sign_id_token", refuse)
    made = await client.create_sandbox(NEW)
    assert made.example_id_token == ""
    await client.check_secret(made.partner_id, made.secret)


async def test_a_developer_with_a_key_gets_no_secret(client):
    jwk = public_jwk(new_key())
    made = await client.create_sandbox(
        NewSandboxPartner("Shop", [RETURN_ADDRESS], public_jwk=json.dumps(jwk | {"use": "sig"}))
    )
    partner = await client.get(made.partner_id)
    assert (made.secret, partner.has_secret) == ("", False)
    assert json.loads(partner.keys[0]) == jwk


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"name": "Вank"}, "letters|mixes"),
        ({"name": "Bank\u202e"}, "name"),
        ({"name": ""}, "name"),
        ({"return_addresses": []}, "return address"),
        ({"return_addresses": ["http://shop.example/"]}, "https"),
        ({"return_addresses": [f"https://a.example/{n}" for n in range(9)]}, "8 return"),
        ({"callback_address": "http://shop.example/"}, "https"),
        ({"public_jwk": "{}"}, "JWK"),
    ],
)
async def test_a_wish_that_is_not_allowed_says_why(world, client, changes, match):
    asked = {"name": "Shop", "return_addresses": [RETURN_ADDRESS]} | changes
    with pytest.raises(InvalidRequestError, match=match):
        await client.create_sandbox(NewSandboxPartner(**asked))
    assert set(world.vault.partners.partners) == {"bank"}


async def test_no_sandbox_here_or_at_the_vault(world, client):
    world.vault.partners.has_sandbox = False
    with pytest.raises(DeniedError, match="no sandbox"):
        await client.create_sandbox(NEW)
    parts = world.parts.partners()
    here = Developers(
        has_sandbox=False,
        vault=world.vault.partners,
        following=parts.following,
        secrets=parts.secrets,
        examples=parts.examples,
        admit=never,
    )
    world.vault.partners.has_sandbox = True
    with pytest.raises(DeniedError, match="no sandbox"):
        await here.create(NewPartner("Shop", [RETURN_ADDRESS], "", "", "192.0.2.1"))


def never(_source):
    pytest.fail("counted although there is no sandbox")


async def test_nothing_is_made_while_the_audit_log_is_not_kept(world, client):
    world.parts.audit.kept.gate.stopped = True
    with pytest.raises(UnavailableError, match="audit log"):
        await client.create_sandbox(NEW)
    assert set(world.vault.partners.partners) == {"bank"}
    assert await client.get("bank")  # what only reads goes on


async def test_a_source_makes_ten_an_hour_whatever_host_of_its_network_asks(client):
    sources = [f"2001:db8::{number}" for number in range(10)]
    for source in sources:
        await client.create_sandbox(NewSandboxPartner("Shop", [RETURN_ADDRESS], source=source))
    with pytest.raises(UnavailableError, match="wait an hour"):
        await client.create_sandbox(
            NewSandboxPartner("Shop", [RETURN_ADDRESS], source="2001:db8::ffff")
        )
    await client.create_sandbox(NEW)


def test_all_together_have_a_limit_too():
    limits = NewPartners(an_hour=2, in_all=3)
    for number in range(3):
        limits.admit(f"192.0.2.{number}")
    with pytest.raises(UnavailableError, match="try again in an hour"):
        limits.admit("192.0.2.9")


async def test_a_mistake_counts_for_nothing(client):
    for _ in range(15):
        with pytest.raises(InvalidRequestError):
            await client.create_sandbox(NewSandboxPartner("", [RETURN_ADDRESS], source="192.0.2.1"))
    await client.create_sandbox(NEW)
