"""Attacks on the OpenID provider: the browser's part, malformed requests, tokens and their end."""

import asyncio
import json
import logging
import secrets
from urllib.parse import urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from grpc_api.clients.offers import OfferStatus
from portal_web.trust import bodies
from tests.fakes.login_portal import (
    AUTH,
    BACK,
    CHALLENGE,
    ISSUER,
    SECRET,
    VERIFIER,
    answer_of,
    asked,
    assert_refused,
    flow_of,
    make_portal,
    partner,
    token,
)

# --- the browser's session -----------------------------------------------------------------------


async def begun(portal, browser, **changes):
    return flow_of(await browser.get("/oauth/authorize", params=asked(**changes)))


async def test_each_login_has_a_name_of_its_own_whatever_was_planted(portal):
    """Session fixation: what an attacker's browser was given leads nowhere in the victim's."""
    attacker, victim = portal.browser(), portal.browser()
    planted = await begun(portal, attacker)
    for cookie in attacker.cookies.jar:
        victim.cookies.set(cookie.name, cookie.value, domain=cookie.domain)
    own = await begun(portal, victim)
    assert own != planted
    offers = list(portal.offers.made)
    await portal.approve(offer_id=offers[-1])
    answer = await attacker.get("/login/continue", params={"flow": own})
    assert answer.status_code == 404
    answer = await attacker.get("/login/continue", params={"flow": planted})
    assert "code" not in answer.headers["location"]


async def test_a_login_goes_on_only_in_the_browser_that_began_it(portal):
    """Login CSRF: the address that goes on is worth nothing elsewhere."""
    flow = await begun(portal, portal.browser())
    await portal.approve()
    for path in (f"/sign-in/{flow}", f"/login/continue?flow={flow}", f"/login/cancel?flow={flow}"):
        assert (await portal.browser().get(path)).status_code == 404


async def test_a_login_is_finished_once(portal):
    browser = portal.browser()
    flow = await begun(portal, browser)
    kept = dict(browser.cookies)
    await portal.approve()
    assert "code" in answer_of(await browser.get("/login/continue", params={"flow": flow}))
    assert (await browser.get("/login/continue", params={"flow": flow})).status_code == 404
    replay = portal.browser()
    for name, value in kept.items():
        replay.cookies.set(name, value)
    assert (await replay.get("/login/continue", params={"flow": flow})).status_code == 403


async def test_a_cookie_is_bound_to_its_login(portal):
    browser = portal.browser()
    first, second = await begun(portal, browser), await begun(portal, browser)
    browser.cookies.set(f"login-{first}", browser.cookies[f"login-{second}"])
    assert (await browser.get(f"/sign-in/{first}")).status_code in (404, 500)


async def test_who_is_not_approved_yet_waits_and_who_declined_goes_back_without(portal):
    browser = portal.browser()
    flow = await begun(portal, browser)
    answer = await browser.get("/login/continue", params={"flow": flow})
    assert urlsplit(answer.headers["location"]).path == f"/sign-in/{flow}"
    await portal.approve(OfferStatus.DECLINED)
    back = answer_of(await browser.get("/login/continue", params={"flow": flow}))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "state-1", ISSUER)


async def test_who_gives_up_goes_back_and_the_offer_is_withdrawn(portal):
    browser = portal.browser()
    flow = await begun(portal, browser)
    back = answer_of(await browser.get("/login/cancel", params={"flow": flow}))
    assert back["error"] == "access_denied"
    (offer,) = portal.offers.offers.values()
    assert offer.state.status is OfferStatus.WITHDRAWN


async def test_cookies_are_of_no_use_to_scripts_and_other_sites(portal):
    answer = await portal.browser().get("/oauth/authorize", params=asked())
    (cookie,) = answer.headers.get_list("set-cookie")
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert "nonce-1" not in cookie


# --- bodies and types ----------------------------------------------------------------------------

PROGRAMS = ("/oauth/par", "/oauth/token", "/oauth/revoke")


@pytest.mark.parametrize("path", PROGRAMS)
async def test_a_body_of_5_mb_is_refused_without_being_kept(portal, path):
    body = b"state=" + b"x" * 5_000_000
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await portal.program().post(path, content=body, headers=kind, auth=AUTH)
    assert_refused(answer, "invalid_request", 413)


@pytest.mark.parametrize("path", PROGRAMS)
async def test_a_client_that_sends_slowly_is_not_waited_for(portal, path, monkeypatch):
    monkeypatch.setattr(bodies, "_BODY_TIMEOUT_S", 0.05)

    async def slowly():
        for _ in range(100):
            yield b"a"
            await asyncio.sleep(0.02)

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await portal.program().post(path, content=slowly(), headers=kind, auth=AUTH)
    assert_refused(answer, "invalid_request", 413)


@pytest.mark.parametrize("path", PROGRAMS)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"grant_type": 5}', "application/json"),
        (b"<x/>", "text/xml"),
        (b"", ""),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"code=%ff%fe", "application/x-www-form-urlencoded"),
        (b"code=%00", "application/x-www-form-urlencoded"),
        (b"a=1&a=2", "application/x-www-form-urlencoded"),
        (b"&".join(b"p%d=1" % one for one in range(100)), "application/x-www-form-urlencoded"),
        (b"%0d%0a=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_refused(portal, path, content, kind):
    answer = await portal.program().post(
        path, content=content, headers={"Content-Type": kind}, auth=AUTH
    )
    assert_refused(answer, "invalid_request")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "code_challenge", "x"])
async def test_a_parameter_twice_is_refused(portal, name):
    query = [*asked().items(), *([(name, "1")] * (2 if name == "x" else 1))]
    answer = await portal.browser().get("/oauth/authorize", params=query)
    assert (answer.status_code, "location" in answer.headers) == (422, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "s" * 1025},
        {"nonce": "n" * 256},
        {"nonce": "a\nb"},
        {"nonce": "\u202e"},
        {"scope": "o" * 513},
        {"login_hint": "\x00"},
        {"state": "x" * 20_000},
    ],
)
async def test_long_and_strange_parameters_are_refused(portal, changes):
    answer = await portal.browser().get("/oauth/authorize", params=asked(**changes))
    assert (answer.status_code, "location" in answer.headers) == (422, False)


# --- tokens --------------------------------------------------------------------------------------


async def tokens(portal, **changes):
    code = (await portal.code(**changes))["code"]
    answer = await token(portal, code)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def test_a_client_may_ask_only_for_what_its_record_names(engine):
    portal = make_portal(engine, partner(scopes=("auth", "profile")))
    found = await tokens(portal, scope="openid profile person_code birthdate email")
    assert found["scope"] == "openid profile"
    assert "person_code" not in portal.vault.signed[-1]


async def test_a_client_that_may_not_sign_people_in_begins_nothing(engine):
    portal = make_portal(engine, partner(scopes=("hashedFilesSigning",)))
    answer = await portal.browser().get("/oauth/authorize", params=asked())
    assert answer_of(answer)["error"] == "unauthorized_client"
    assert portal.offers.made == {}


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer x", "Basic x", "Bearer " + "x" * 5000, "é"]
)
async def test_userinfo_is_for_a_good_token_alone(portal, value):
    headers = [(b"authorization", value.encode("latin-1"))]
    answer = await portal.program().get("/oauth/userinfo", headers=headers)
    assert answer.status_code == 401
    assert "bearer" in answer.headers["www-authenticate"].lower()


async def test_a_client_revokes_its_own_token_only(portal):
    found = (await tokens(portal))["access_token"]
    program, bearer = portal.program(), {"Authorization": f"Bearer {found}"}
    stolen = await program.post("/oauth/revoke", data={"token": found}, auth=("shop", SECRET))
    assert stolen.status_code == 400
    assert (await program.get("/oauth/userinfo", headers=bearer)).status_code == 200
    done = await program.post("/oauth/revoke", data={"token": found}, auth=AUTH)
    assert done.status_code == 200
    assert (await program.get("/oauth/userinfo", headers=bearer)).status_code == 401
    again = await program.post("/oauth/revoke", data={"token": found}, auth=AUTH)
    assert again.status_code == 200


async def test_logout_ends_the_login_and_goes_to_a_registered_address_only(portal):
    found = await tokens(portal)
    browser = portal.browser()
    hint = {"id_token_hint": found["id_token"], "post_logout_redirect_uri": BACK, "state": "s"}
    for near in (BACK + "/", "https://evil.example/", BACK + "?x=2"):
        wrong = await browser.get("/oauth/logout", params=hint | {"post_logout_redirect_uri": near})
        assert (wrong.status_code, "location" in wrong.headers) == (200, False)
    done = await browser.get("/oauth/logout", params=hint)
    assert done.headers["location"] == f"{BACK}?state=s"
    bearer = {"Authorization": f"Bearer {found['access_token']}"}
    assert (await portal.program().get("/oauth/userinfo", headers=bearer)).status_code == 401


async def test_logout_without_an_id_token_sends_nobody_anywhere(portal):
    query = {"client_id": "bank", "post_logout_redirect_uri": BACK}
    answer = await portal.browser().get("/oauth/logout", params=query)
    assert (answer.status_code, "location" in answer.headers) == (200, False)


@pytest.mark.parametrize("hint", ["x", "a.b.c", "é", "."])
async def test_a_forged_id_token_logs_nobody_out(portal, hint):
    query = {"id_token_hint": hint, "post_logout_redirect_uri": BACK}
    answer = await portal.browser().get("/oauth/logout", params=query)
    assert (answer.status_code, "location" in answer.headers) == (422, False)


async def test_an_id_token_signed_by_somebody_else_logs_nobody_out(portal):
    await portal.code()
    other = ECKey.generate_key("P-256", {"kid": "login-1"})
    claims = json.dumps({"aud": "bank", "iss": ISSUER, "sid": secrets.token_urlsafe(16)}).encode()
    forged = jws.serialize_compact({"alg": "ES256", "kid": "login-1"}, claims, other, ["ES256"])
    query = {"id_token_hint": forged, "post_logout_redirect_uri": BACK}
    answer = await portal.browser().get("/oauth/logout", params=query)
    assert (answer.status_code, "location" in answer.headers) == (422, False)


def test_the_verifier_and_the_challenge_of_these_tests_differ():
    assert VERIFIER != CHALLENGE


async def test_no_token_comes_into_a_log_that_is_turned_up(portal, caplog):
    caplog.set_level(logging.DEBUG)
    found = await tokens(portal)
    assert found["access_token"] not in caplog.text
    assert found["id_token"] not in caplog.text
