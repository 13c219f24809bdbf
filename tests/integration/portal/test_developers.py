"""The page for developers over HTTP: what it takes, what it refuses, what it tells once."""

import json
import re

import httpx
import pytest

from grpc_api.clients.partners import MadePartner, NewSandboxPartner
from signer_core.errors import DeniedError, InvalidRequestError, UnavailableError
from tests.fakes.developers import MADE, Partners, make_portal
from tests.fakes.partners import public_jwk
from tests.fakes.pki import new_key

ADDRESS = "http://127.0.0.1:8000/callback"
GOOD = {"name": "Моя крамниця", "return_addresses": ADDRESS}
TOO_MANY = "too many partners were made from here: wait an hour"


@pytest.fixture
def partners():
    return Partners()


@pytest.fixture
async def web(partners):
    transport = httpx.ASGITransport(
        make_portal(partners), raise_app_exceptions=False, client=("192.0.2.7", 40000)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        client.headers["Accept"] = "text/html"
        yield client


async def token_of(web):
    page = await web.get("/developers")
    assert page.status_code == 200
    return re.search('name="form_token" value="([^"]+)"', page.text)[1]


def text(page):
    """Return what a page says, with plain spaces."""
    return page.text.replace("\xa0", " ")


async def post(web, headers=None, **fields):
    form = GOOD | {"form_token": await token_of(web)} | fields
    return await web.post("/developers", data=form, headers=headers)


async def test_a_developer_gets_id_secret_and_settings(web, partners):
    page = await post(web, callback_address="https://shop.example/hook")
    assert page.status_code == 200
    for told in (MADE.partner_id, MADE.secret, MADE.example_id_token):
        assert told in text(page)
    assert f"OIDC_REDIRECT_URI={ADDRESS}" in text(page)
    assert "OIDC_CLIENT_AUTH=client_secret_basic" in text(page)
    assert page.headers["Cache-Control"] == "no-store"
    assert partners.asked == [
        NewSandboxPartner(
            "Моя крамниця", (ADDRESS,), "https://shop.example/hook", "", source="192.0.2.7"
        )
    ]


async def test_the_secret_is_told_once(web):
    page = await post(web)
    assert MADE.secret in text(page)
    assert MADE.secret not in (await web.get("/developers")).text
    assert MADE.secret not in str(web.cookies)
    assert MADE.secret not in str(page.headers)


async def test_with_a_key_there_is_no_secret(web, partners):
    partners.made = MadePartner(MADE.partner_id, "")
    jwk = json.dumps(public_jwk(new_key()))
    page = await post(web, public_jwk=jwk)
    assert partners.asked[0].public_jwk == jwk
    assert "OIDC_CLIENT_AUTH=private_key_jwt" in text(page)
    assert "OIDC_CLIENT_SECRET" not in text(page)


async def test_several_addresses_stand_one_a_line(web, partners):
    await post(web, return_addresses=f" {ADDRESS} \r\n\r\nhttps://shop.example/\r\n")
    assert partners.asked[0].return_addresses == (ADDRESS, "https://shop.example/")


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("name", "", "Введіть назву"),
        ("name", "x" * 61, "від 1 до 60"),
        ("name", "Bank\u202e", "лише українські або латинські"),
        ("name", "<script>", "лише українські або латинські"),
        ("name", "Вank", "змішує"),
        ("name", "...", "літера чи цифра"),
        ("return_addresses", "", "хоча б одну"),
        ("return_addresses", "\n".join(f"https://a.example/{n}" for n in range(9)), "забагато"),
        ("return_addresses", f"{ADDRESS}\n{ADDRESS}", "повторюється"),
        ("return_addresses", "http://shop.example/", "Адреса «http://shop.example/»"),
        ("return_addresses", "javascript:alert(1)", "не підходить"),
        ("callback_address", "https://shop.example/#x", "не підходить"),
        ("public_jwk", "{}", "не відкритий ключ"),
        ("public_jwk", json.dumps(public_jwk(new_key()) | {"d": "x"}), "закритий ключ"),
    ],
)
async def test_a_mistake_is_told_at_its_field_and_nothing_is_made(
    web, partners, field, typed, says
):
    page = await post(web, **{field: typed})
    assert page.status_code == 422
    assert partners.asked == []
    assert f'<a href="#{field}">' in text(page)
    assert re.search(f'id="{field}-wrong">.*{re.escape(says)}', text(page))
    assert "Помилка: " in re.search("<title>(.*)</title>", text(page))[1]


async def test_every_mistake_is_told_at_once(web):
    page = await post(web, name="", return_addresses="x", callback_address="y", public_jwk="z")
    summary = text(page).split('class="error-summary"')[1].split("</ul>")[0]
    assert summary.count("<li>") == 4


async def test_what_was_typed_stays_and_is_never_markup(web):
    page = await post(web, name="<b>Shop</b>", return_addresses="<i>\n</textarea><script>")
    assert "&lt;b&gt;Shop&lt;/b&gt;" in text(page)
    assert "<b>" not in text(page)
    assert "<script>" not in text(page)
    assert "</textarea><" not in text(page)


@pytest.mark.parametrize(
    ("fails", "status", "says"),
    [
        (InvalidRequestError("relying party: too long"), 422, "змініть введене"),
        (DeniedError("this system has no sandbox"), 403, "немає пісочниці"),
        (UnavailableError(TOO_MANY), 503, "пізніше"),
    ],
)
async def test_a_refusal_by_the_signer_is_told_in_both_languages(
    web, partners, fails, status, says
):
    partners.fails = fails
    page = await post(web)
    assert page.status_code == status
    assert says in text(page)
    assert str(fails) in text(page)
    assert 'value="Моя крамниця"' in text(page)


async def test_in_english_everything_is(web):
    english = text(await web.get("/developers?lang=en"))
    assert "A partner for a developer" in english
    page = await post(web, name="Вank")
    assert "mixes Ukrainian and Latin letters" in text(page)


# --- forms that are not from a page of ours ------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x" * 43])
async def test_a_form_without_its_token_is_refused(web, partners, token):
    await token_of(web)
    page = await web.post("/developers", data=GOOD | {"form_token": token})
    assert page.status_code == 403
    assert partners.asked == []


async def test_a_token_of_another_browser_is_refused(web, partners):
    token = await token_of(web)
    web.cookies.clear()
    await token_of(web)
    page = await web.post("/developers", data=GOOD | {"form_token": token})
    assert page.status_code == 403
    assert partners.asked == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_sent_by_another_site_is_refused(web, partners, site):
    page = await post(web, headers={"Sec-Fetch-Site": site})
    assert page.status_code == 403
    assert partners.asked == []


async def test_a_form_that_is_too_long_is_refused(web, partners):
    page = await post(web, public_jwk="x" * 100_000)
    assert page.status_code == 422
    assert partners.asked == []


async def test_the_cookie_is_for_this_site_and_no_script(web):
    page = await web.get("/developers")
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
