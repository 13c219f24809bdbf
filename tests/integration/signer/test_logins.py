"""Logins at the signer: each code, token, request and assertion once, and for its own client."""

import asyncio
import base64
import dataclasses
import hashlib
import json
import secrets
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from grpc_api.clients.login import LoginClient
from grpc_api.clients.offers import OfferStatus
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.login.logins import OfferClaim, hash_of
from signer_core.login.statement import LoginStatement
from signer_core.storage.signer.audit_tables import audit_outbox
from signer_core.storage.signer.login_tables import login_assertions, login_requests, logins
from tests.fakes.offers_made import auth_offer, files_offer, hashed, qr, sign
from tests.fakes.signer_world import ADDRESS

CODE_CHALLENGE = "c" * 43
ISSUER = "https://sign.example"
TOKEN = hash_of("token")


@pytest.fixture
async def login(world):
    return LoginClient(await world.internal())


def statement_of(world, nonce="n-1", scope="openid profile person_code birthdate", client="bank"):
    return LoginStatement.make(ISSUER, client, ADDRESS, nonce, world.clock(), scope)


async def approved(world, statement=None, signed=None):
    """Return an approved offer, claimed and signed by a phone of the person."""
    statement = statement or statement_of(world)
    offers, phone = await world.offers(), await world.person()
    text = signed or statement.text
    offer = await offers.create(
        auth_offer(
            statement=text,
            challenge=hashlib.sha256(text.encode()).digest(),
            return_address=ADDRESS,
        )
    )
    now_s = int(world.clock().timestamp())
    await sign(world, phone, await phone.client.claim_offer(qr(offer, now_s)))
    return OfferClaim(offer.offer_id, secrets.token_bytes(32)), statement


async def code_of(world, login, **more):
    offer, statement = await approved(world, **more)
    return await login.issue_code(offer, statement.text, CODE_CHALLENGE)


def protocol(world):
    now_s = int(world.clock().timestamp())
    return {"iss": ISSUER, "iat": now_s, "exp": now_s + 300, "acr": "high", "at_hash": "h"}


async def events(world):
    columns = audit_outbox.c.result, audit_outbox.c.reason, audit_outbox.c.subject
    query = select(*columns).where(audit_outbox.c.event == "login").order_by(audit_outbox.c.id)
    async with world.parts.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def count(world, table):
    async with world.parts.engine.connect() as connection:
        return len((await connection.execute(select(table))).all())


# --- pushed requests -------------------------------------------------------------------------


async def test_a_pushed_request_is_taken_once_by_its_client(login):
    reference, ttl_s = await login.push("bank", {"scope": "openid"})
    assert (len(reference), ttl_s) == (43, 60)
    with pytest.raises(NotFoundError):
        await login.take("shop", reference)
    assert await login.take("bank", reference) == {"scope": "openid"}
    with pytest.raises(NotFoundError):
        await login.take("bank", reference)


async def test_a_pushed_request_is_kept_for_a_minute(world, login):
    reference, _ = await login.push("bank", {})
    world.clock.now += timedelta(seconds=60)
    with pytest.raises(NotFoundError):
        await login.take("bank", reference)


async def test_of_many_that_take_it_at_once_one_has_it(login):
    reference, _ = await login.push("bank", {})
    taken = await asyncio.gather(
        *(login.take("bank", reference) for _ in range(8)), return_exceptions=True
    )
    assert sorted(isinstance(one, NotFoundError) for one in taken) == [False] + [True] * 7


async def test_long_parameters_are_refused(login):
    with pytest.raises(InvalidRequestError):
        await login.push("bank", {"state": "x" * 16_384})


async def test_what_a_database_cannot_keep_is_refused(world):
    with pytest.raises(InvalidRequestError):
        await world.parts.logins().push("bank", '{"state": "\0"}')
    with pytest.raises(InvalidRequestError):
        await world.parts.logins().issue_code(
            OfferClaim(b"o" * 16, b"c" * 32), statement_of(world).text, "c" * 42 + "\0"
        )


# --- assertions ------------------------------------------------------------------------------


async def test_an_assertion_is_used_once_a_client(world, login):
    until_s = int(world.clock().timestamp()) + 60
    await login.use_assertion("bank", "jti-1", until_s)
    await login.use_assertion("shop", "jti-1", until_s)
    with pytest.raises(DeniedError):
        await login.use_assertion("bank", "jti-1", until_s)
    assert await events(world) == [("refused", "assertion-again", "bank")]


@pytest.mark.parametrize(("jti", "ahead_s"), [("", 60), ("j" * 256, 60), ("jti", 3661)])
async def test_an_assertion_that_cannot_be_remembered_is_refused(world, login, jti, ahead_s):
    with pytest.raises(InvalidRequestError):
        await login.use_assertion("bank", jti, int(world.clock().timestamp()) + ahead_s)


# --- codes -----------------------------------------------------------------------------------


@pytest.mark.causes("login")
async def test_a_login_from_the_offer_to_the_id_token(world, login):
    offer, statement = await approved(world)
    code = await login.issue_code(offer, statement.text, CODE_CHALLENGE)
    found = await login.redeem("bank", code)
    assert (found.redirect_uri, found.nonce, found.code_challenge) == (
        ADDRESS,
        "n-1",
        CODE_CHALLENGE,
    )
    assert found.scope == "openid profile person_code birthdate"
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    (payload,) = world.vault.login.signed
    assert payload["aud"] == "bank"
    assert payload["nonce"] == "n-1"
    assert payload["person_code"] == "1234567899"
    assert payload["name#uk-Latn"].isascii()
    assert payload["diia_signature"]["statement"] == statement.text
    certificates = payload["diia_signature"]["certificates"]
    assert base64.b64decode(certificates[-1])
    token = await login.find_token(TOKEN)
    assert json.loads(token.claims)["sub"] == payload["sub"]
    assert (await (await world.offers()).get(offer.offer_id)).state.status is OfferStatus.CONSUMED
    assert await events(world) == [("approved", "", "bank")]


async def test_only_what_the_person_agreed_to_is_told(world, login):
    code = await code_of(world, login, statement=statement_of(world, scope="openid"))
    found = await login.redeem("bank", code)
    assert found.scope == "openid"
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    assert not {"name", "person_code", "birthdate"} & world.vault.login.signed[0].keys()


async def test_a_statement_that_was_not_signed_makes_no_code(world, login):
    offer, _ = await approved(world, statement_of(world, scope="openid"))
    other = statement_of(world, scope="openid person_code")
    with pytest.raises(DeniedError, match="something else"):
        await login.issue_code(offer, other.text, CODE_CHALLENGE)


async def test_a_statement_of_another_partner_makes_no_code(world, login):
    offer, statement = await approved(world, statement_of(world, client="shop"))
    with pytest.raises(DeniedError, match="something else"):
        await login.issue_code(offer, statement.text, CODE_CHALLENGE)


async def test_a_partner_is_not_told_what_its_record_does_not_name(world):
    offer, statement = await approved(world)

    class Narrow:
        async def get(self, relying_party_id):
            return SimpleNamespace(party=SimpleNamespace(scopes=("auth", "profile")))

    logins = dataclasses.replace(world.parts.logins(), relying_parties=Narrow())
    with pytest.raises(DeniedError, match="so much"):
        await logins.issue_code(offer, statement.text, CODE_CHALLENGE)


async def test_a_signed_text_that_is_no_login_makes_no_code(world, login):
    offer, _ = await approved(world, signed="I owe you 1000")
    with pytest.raises(InvalidRequestError):
        await login.issue_code(offer, "I owe you 1000", CODE_CHALLENGE)


async def test_an_offer_of_another_kind_is_no_login(world, login):
    statement = statement_of(world)
    offers, phone = await world.offers(), await world.person()
    offer = await offers.create(files_offer([hashed("login.txt", statement.text.encode())]))
    now_s = int(world.clock().timestamp())
    await sign(world, phone, await phone.client.claim_offer(qr(offer, now_s)))
    claim = OfferClaim(offer.offer_id, secrets.token_bytes(32))
    with pytest.raises(InvalidRequestError, match="not for signing in"):
        await login.issue_code(claim, statement.text, CODE_CHALLENGE)


async def test_one_offer_is_one_login(world, login):
    offer, statement = await approved(world)
    await login.issue_code(offer, statement.text, CODE_CHALLENGE)
    with pytest.raises(DeniedError, match="finished"):
        await login.issue_code(offer, statement.text, CODE_CHALLENGE)


async def test_an_offer_that_nobody_approved_makes_no_code(world, login):
    statement = statement_of(world)
    offer = await (await world.offers()).create(
        auth_offer(statement=statement.text, challenge=statement.challenge)
    )
    claim = OfferClaim(offer.offer_id, secrets.token_bytes(32))
    with pytest.raises(InvalidRequestError, match="not approved"):
        await login.issue_code(claim, statement.text, CODE_CHALLENGE)


async def test_another_clients_code_is_not_good_and_not_used_up(world, login):
    code = await code_of(world, login)
    with pytest.raises(NotFoundError):
        await login.redeem("shop", code)
    assert await login.redeem("bank", code)


async def test_a_code_is_good_for_a_minute(world, login):
    code = await code_of(world, login)
    world.clock.now += timedelta(seconds=60)
    with pytest.raises(NotFoundError):
        await login.redeem("bank", code)


async def test_of_many_that_redeem_a_code_at_once_one_has_it(world, login):
    code = await code_of(world, login)
    redeemed = await asyncio.gather(
        *(login.redeem("bank", code) for _ in range(8)), return_exceptions=True
    )
    assert sorted(isinstance(one, NotFoundError) for one in redeemed) == [False] + [True] * 7


async def test_a_code_used_twice_ends_the_token_of_the_first(world, login):
    code = await code_of(world, login)
    found = await login.redeem("bank", code)
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    assert await login.find_token(TOKEN)
    with pytest.raises(NotFoundError):
        await login.redeem("bank", code)
    with pytest.raises(NotFoundError):
        await login.find_token(TOKEN)
    assert await events(world) == [("approved", "", "bank"), ("refused", "code-again", "bank")]


async def test_a_code_used_twice_gives_no_token_to_the_first_who_is_late(world, login):
    code = await code_of(world, login)
    found = await login.redeem("bank", code)
    with pytest.raises(NotFoundError):
        await login.redeem("bank", code)
    with pytest.raises(NotFoundError):
        await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))


# --- tokens ----------------------------------------------------------------------------------


async def redeemed(world, login):
    return await login.redeem("bank", await code_of(world, login))


async def test_a_login_has_one_token(world, login):
    found = await redeemed(world, login)
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    with pytest.raises(NotFoundError):
        await login.issue_tokens(found.login_id, "bank", hash_of("other"), protocol(world))


async def test_another_client_has_none(world, login):
    found = await redeemed(world, login)
    with pytest.raises(NotFoundError):
        await login.issue_tokens(found.login_id, "shop", TOKEN, protocol(world))


@pytest.mark.parametrize("claim", ["sub", "aud", "nonce", "name", "diia_signature"])
async def test_the_portal_cannot_say_whom_a_token_is_about(world, login, claim):
    found = await redeemed(world, login)
    with pytest.raises(InvalidRequestError):
        await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world) | {claim: "x"})


async def test_a_token_is_good_for_a_quarter_of_an_hour(world, login):
    found = await redeemed(world, login)
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    world.clock.now += timedelta(seconds=899)
    assert await login.find_token(TOKEN)
    world.clock.now += timedelta(seconds=1)
    with pytest.raises(NotFoundError):
        await login.find_token(TOKEN)


async def test_a_client_ends_its_own_login_only(world, login):
    found = await redeemed(world, login)
    await login.issue_tokens(found.login_id, "bank", TOKEN, protocol(world))
    await login.end("shop", token_hash=TOKEN)
    await login.end("shop", login_id=found.login_id)
    assert await login.find_token(TOKEN)
    await login.end("bank", login_id=found.login_id)
    with pytest.raises(NotFoundError):
        await login.find_token(TOKEN)
    await login.end("bank", token_hash=TOKEN)  # harmless


async def test_what_is_over_is_forgotten(world, login):
    await redeemed(world, login)
    now_s = int(world.clock().timestamp())
    await login.push("bank", {})
    await login.use_assertion("bank", "jti", now_s + 60)
    rows = world.parts.logins().rows
    await rows.forget(now_s)
    tables = (login_requests, login_assertions, logins)
    assert [await count(world, table) for table in tables] == [1, 1, 1]
    await rows.forget(now_s + 961)
    assert [await count(world, table) for table in tables] == [0, 0, 0]


async def test_nothing_that_opens_a_login_is_stored(world, login):
    reference, _ = await login.push("bank", {})
    code = await code_of(world, login)
    async with world.parts.engine.connect() as connection:
        for table in (login_requests, logins):
            for row in await connection.execute(select(table)):
                assert not {reference, code, reference.encode(), code.encode()} & set(row)


async def test_only_the_portal_may_ask(world):
    stranger = LoginClient(await world.internal("worker.internal"))
    with pytest.raises(DeniedError):
        await stranger.push("bank", {})
