"""Attacks on the OpenID provider: where the provider sends a browser, and codes with PKCE."""

import asyncio

import pytest

from tests.fakes.login_portal import (
    AUTH,
    BACK,
    CHALLENGE,
    ISSUER,
    SECRET,
    answer_of,
    asked,
    assert_refused,
    token,
)

# --- where a browser is sent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "near",
    [
        None,
        "",
        BACK + "/",
        BACK + "?",
        BACK + "#",
        BACK + "?x=2",
        BACK.upper(),
        BACK.replace("https", "http"),
        BACK.replace("bank.example", "bank.example.evil.example"),
        BACK.replace("bank.example", "bank.example@evil.example"),
        BACK.replace("bank.example", "bank.example:443"),
        BACK.replace("/return", "/other/../return"),
        BACK.replace("/return", "//return"),
        BACK.replace("return", "retur%6e"),
        BACK + "\r\nLocation: https://evil.example",
        BACK + " ",
        " " + BACK,
        BACK + "%00",
        BACK + '"',
        BACK + "\\",
        "https://xn--bnk-5cd.example/return",
        "https://evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
async def test_a_near_miss_of_the_address_is_told_to_the_person_and_never_followed(portal, near):
    for data in (asked(redirect_uri=near), asked(redirect_uri=near, scope="none", prompt="none")):
        answer = await portal.browser().get("/oauth/authorize", params=data)
        assert answer.status_code == 422, answer.headers
        assert "location" not in answer.headers
        assert "text/html" in answer.headers["content-type"]
        assert "//evil" not in answer.text
    assert portal.offers.made == {}


@pytest.mark.parametrize("client", ["nobody", "", None, "bank\x00", "b" * 65, "банк"])
async def test_an_unknown_client_is_told_to_the_person(portal, client):
    answer = await portal.browser().get("/oauth/authorize", params=asked(client_id=client))
    assert answer.status_code == 422
    assert "location" not in answer.headers


async def test_an_error_goes_back_to_the_registered_address_with_state_and_issuer(portal):
    for changes, error in (
        ({"scope": "profile"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
    ):
        answer = await portal.browser().get("/oauth/authorize", params=asked(**changes))
        assert answer.status_code == 303, (changes, answer.text)
        back = answer_of(answer)
        assert (back["error"], back["state"], back["iss"]) == (error, "state-1", ISSUER)


async def test_the_code_comes_with_the_issuer_against_mix_up(portal):
    back = await portal.code()
    assert (back["iss"], back["state"]) == (ISSUER, "state-1")


async def test_a_header_cannot_be_injected_through_state(portal):
    answer = await portal.browser().get(
        "/oauth/authorize", params=asked(state="a\r\nSet-Cookie: x=1")
    )
    assert answer.status_code == 422
    back = await portal.code(state="&code=planted#x")
    assert back["state"] == "&code=planted#x"
    assert back["code"] != "planted"


# --- PKCE ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "S512"},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE + "A"},
        {"code_challenge": "!" * 43},
    ],
)
async def test_no_login_begins_without_s256(portal, changes):
    answer = await portal.browser().get("/oauth/authorize", params=asked(**changes))
    assert answer_of(answer)["error"] == "invalid_request"
    pushed = await portal.program().post("/oauth/par", data=asked(**changes), auth=AUTH)
    assert_refused(pushed, "invalid_request")


@pytest.mark.parametrize("verifier", [None, "w" * 43, CHALLENGE, "v" * 42, "v" * 129, "!" * 43])
async def test_a_code_without_its_verifier_is_worth_nothing_and_used_up(portal, verifier):
    code = (await portal.code())["code"]
    answer = await token(portal, code, code_verifier=verifier)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")
    assert_refused(await token(portal, code), "invalid_grant")


# --- codes ---------------------------------------------------------------------------------------


async def test_a_code_is_used_once_and_a_second_time_ends_the_first_token(portal):
    code = (await portal.code())["code"]
    first = await token(portal, code)
    assert first.status_code == 200, first.text
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    program = portal.program()
    assert (await program.get("/oauth/userinfo", headers=bearer)).status_code == 200
    assert_refused(await token(portal, code), "invalid_grant")
    assert (await program.get("/oauth/userinfo", headers=bearer)).status_code == 401


async def test_of_many_that_bring_a_code_at_once_one_at_most_has_a_token(portal):
    code = (await portal.code())["code"]
    answers = await asyncio.gather(*(token(portal, code) for _ in range(6)))
    assert sum(one.status_code == 200 for one in answers) <= 1


async def test_another_clients_code_is_refused_and_stays_good_for_its_own(portal):
    code = (await portal.code())["code"]
    assert_refused(await token(portal, code, auth=("shop", SECRET)), "invalid_grant")
    assert (await token(portal, code)).status_code == 200


async def test_a_code_is_bound_to_its_address(portal):
    code = (await portal.code())["code"]
    assert_refused(await token(portal, code, redirect_uri=f"{BACK}?x=1"), "invalid_grant")


@pytest.mark.parametrize("grant", [None, "password", "refresh_token", "client_credentials", 'a"b'])
async def test_there_is_no_other_grant(portal, grant):
    answer = await token(portal, "code", grant_type=grant)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request")
