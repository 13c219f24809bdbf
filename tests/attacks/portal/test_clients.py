"""Attacks on the OpenID provider: how a client shows who it is, and what it pushes."""

import hmac
import json
import time
from dataclasses import replace

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from signer_core.login.logins import encode
from tests.fakes.login_portal import (
    AUTH,
    ISSUER,
    SECRET,
    asked,
    assert_refused,
    assertion,
    exchanged,
    key_partner,
    make_portal,
    token,
)

# --- client authentication -----------------------------------------------------------------------


async def test_without_the_secret_there_is_no_token(portal):
    program = portal.program()
    for more in (
        {"auth": ("bank", "wrong")},
        {"auth": ("bank", "x" * 129)},
        {"auth": ("nobody", SECRET)},
        {"auth": ("", "")},
        {"headers": {"Authorization": "Basic ###"}},
        {"headers": {"Authorization": "Basic " + "A" * 9999}},
        {"headers": {"Authorization": "Bearer x"}},
        {},
    ):
        answer = await program.post("/oauth/token", data=exchanged("code"), **more)
        assert answer.json()["error"] == "invalid_client", answer.text


async def test_two_ways_to_authenticate_are_one_too_many(portal):
    data = exchanged("code", client_id="bank", client_secret=SECRET)
    answer = await portal.program().post("/oauth/token", data=data, auth=AUTH)
    assert_refused(answer, "invalid_client")


async def test_the_client_id_in_the_body_is_that_of_the_secret(portal):
    code = (await portal.code())["code"]
    assert_refused(await token(portal, code, client_id="shop"), "invalid_client")


async def test_an_assertion_lets_a_client_in_once(with_key, key):
    program, good = with_key.program(), assertion(key)
    first = await program.post("/oauth/par", data=asked() | good)
    assert first.status_code == 201, first.text
    assert_refused(await program.post("/oauth/par", data=asked() | good), "invalid_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://evil.example"},
        {"aud": [ISSUER + ".evil.example"]},
        {"aud": None},
        {"aud": 5},
        {"iss": "shop"},
        {"sub": "shop"},
        {"sub": None},
        {"sub": ["bank"]},
        {"jti": None},
        {"jti": 5},
        {"jti": ["j"]},
        {"jti": "j" * 256},
        {"exp": None},
        {"exp": 0},
        {"exp": "soon"},
        {"exp": 99999999999},
        {"nbf": 99999999999},
    ],
)
async def test_an_assertion_that_is_not_of_this_client_for_us_now_is_refused(
    with_key, key, changes
):
    answer = await with_key.program().post("/oauth/par", data=asked() | assertion(key, **changes))
    assert_refused(answer, "invalid_client")


async def test_the_algorithm_is_ours_to_choose(with_key, key):
    """`none`, and HS256 with the public key as its secret."""
    program = with_key.program()
    public = json.dumps(key.as_dict(private=False)).encode()
    pem = key.as_pem(private=False)
    now_s = int(time.time())
    claims = {"iss": "bank", "sub": "bank", "aud": ISSUER, "jti": "j", "exp": now_s + 60}
    payload = json.dumps(claims).encode()
    forged = [".".join((encode(b'{"alg":"none"}'), encode(payload), ""))]
    for secret in (public, pem):  # by hand: joserfc refuses to make such a thing
        signed = ".".join((encode(b'{"alg":"HS256"}'), encode(payload)))
        forged.append(f"{signed}.{encode(hmac.digest(secret, signed.encode(), 'sha256'))}")
    other = ECKey.generate_key("P-256")
    forged.append(jws.serialize_compact({"alg": "ES256", "kid": "k1"}, payload, other, ["ES256"]))
    kind = assertion(key)["client_assertion_type"]
    for one in (*forged, "a.b.c", "a", "..", "a.b.c.d.e", "é.é.é", "x" * 20_000):
        data = asked() | {"client_assertion_type": kind, "client_assertion": one}
        answer = await program.post("/oauth/par", data=data)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_client", "invalid_request")


async def test_who_has_a_key_does_not_come_with_a_secret(engine, key):
    with_both = make_portal(engine, replace(key_partner(key), has_secret=True))
    answer = await with_both.program().post("/oauth/par", data=asked(), auth=AUTH)
    assert answer.json()["error"] == "invalid_client"
    good = await with_both.program().post("/oauth/par", data=asked() | assertion(key))
    assert good.status_code == 201


async def test_who_has_a_secret_does_not_come_with_an_assertion(portal, key):
    answer = await portal.program().post("/oauth/par", data=asked() | assertion(key))
    assert_refused(answer, "invalid_client")


# --- pushed requests -----------------------------------------------------------------------------


async def pushed(portal, **changes):
    answer = await portal.program().post("/oauth/par", data=asked(**changes), auth=AUTH)
    assert answer.status_code == 201, answer.text
    assert answer.json()["expires_in"] == 60
    return answer.json()["request_uri"]


async def test_a_pushed_request_is_used_once(portal):
    uri = await pushed(portal)
    browser = portal.browser()
    query = {"client_id": "bank", "request_uri": uri}
    assert (await browser.get("/oauth/authorize", params=query)).status_code == 303
    again = await portal.browser().get("/oauth/authorize", params=query)
    assert (again.status_code, "location" in again.headers) == (422, False)


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "shop"},
        {"client_id": None},
        {"request_uri": "https://evil.example/request"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:" + "A" * 43},
    ],
)
async def test_a_request_uri_that_is_not_this_clients_is_refused(portal, query):
    values = {"client_id": "bank", "request_uri": await pushed(portal)} | query
    values = {name: value for name, value in values.items() if value is not None}
    answer = await portal.browser().get("/oauth/authorize", params=values)
    assert (answer.status_code, "location" in answer.headers) == (422, False)


async def test_what_was_pushed_is_not_changed_by_the_browser(portal):
    query = asked(request_uri=await pushed(portal), scope="openid person_code", state="other")
    answer = await portal.browser().get("/oauth/authorize", params=query)
    assert answer.status_code == 303
    (offer,) = portal.offers.made.values()
    assert "data: profile\n" in offer.statement


async def test_a_pushed_request_has_no_request_uri_and_keeps_no_secret(portal):
    data = asked(request_uri="urn:x")
    assert_refused(
        await portal.program().post("/oauth/par", data=data, auth=AUTH), "invalid_request"
    )
    data = asked() | {"client_secret": SECRET}
    answer = await portal.program().post("/oauth/par", data=data)
    reference = answer.json()["request_uri"].rpartition(":")[2]
    assert "client_secret" not in await portal.logins.take("bank", reference)


async def test_a_request_object_is_not_taken(portal):
    answer = await portal.browser().get("/oauth/authorize", params=asked(request="a.b.c"))
    assert (answer.status_code, "location" in answer.headers) == (422, False)
