"""Other sites, other names, a corrupt signer: what the browser phone refuses."""

import shutil
from dataclasses import replace

import pytest
from fastapi.routing import APIRoute

from mobile_share.simulator.web.application import PARTS
from mobile_share.simulator.web.guard import HEADERS
from tests.fakes.browser_phone import ORIGIN, PORT
from tests.fakes.phone_fixtures import PIN


def posts():
    found = [
        route.path.replace("{shown_id}", "ab" * 16)
        for part in PARTS
        for route in part.routes.routes
        if isinstance(route, APIRoute) and "POST" in route.methods
    ]
    assert len(found) >= 9
    return found


async def test_no_form_is_taken_without_the_token_of_its_session(owner):
    for path in posts():
        owner.token = "A" * 43
        await owner.post(path, pin=PIN, code="x")
        assert owner.page.status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{PORT}"},
        {"Origin": "http://localhost:7440"},  # the portal of the same machine
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_is_refused_even_with_the_token(owner, headers):
    await owner.get("/")
    await owner.post("/language", language="uk", path="/", headers=headers)
    assert owner.page.status_code == 403


async def test_a_post_without_an_origin_is_refused(owner):
    await owner.get("/")
    answer = await owner.client.post("/language", data={"token": owner.token})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "localhost", "localhost:80", f"[::1]:{PORT}", ""],
)
async def test_a_name_that_leads_here_is_refused(owner, host):
    answer = await owner.client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "data-token" not in answer.text


async def test_the_number_leads_to_the_name_whose_cookies_are_apart(owner):
    answer = await owner.client.get(
        "/phones", headers={"Host": f"127.0.0.1:{PORT}"}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (307, f"{ORIGIN}/phones")


async def test_a_body_without_end_is_refused(owner):
    async def endless():
        yield b"x"

    answer = await owner.client.post("/language", content=endless(), headers={"Origin": ORIGIN})
    assert answer.status_code == 413
    large = {"Origin": ORIGIN, "Content-Length": str(9 << 20)}
    assert (await owner.client.post("/language", headers=large)).status_code == 413


async def test_every_answer_has_the_headers(owner):
    for path in ("/", "/nowhere", "/static/phone.css", "/settings/pin"):
        await owner.get(path)
        assert {name: owner.page.headers.get(name) for name in HEADERS} == HEADERS, path
        assert "unsafe" not in owner.page.headers["content-security-policy"]


async def test_the_cookie_is_not_for_scripts_and_changes_with_the_phone(owner, around):
    before = owner.client.cookies["browser_phone"]
    (one,) = around.shelf.list()
    await owner.post("/phones", phone=one.phone_id)
    assert owner.client.cookies["browser_phone"] != before
    answer = await owner.client.get("/phones", headers={"Cookie": ""})
    assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]


async def test_an_old_cookie_is_worth_nothing_after_the_phone_was_chosen(owner, around):
    before = owner.client.cookies["browser_phone"]
    (one,) = around.shelf.list()
    await owner.post("/phones", phone=one.phone_id)
    owner.client.cookies.clear()
    await owner.client.get("/settings", headers={"Cookie": f"browser_phone={before}"})
    answer = await owner.client.get("/", headers={"Cookie": f"browser_phone={before}"})
    assert answer.url.path == "/phones"


async def test_a_false_partner_is_refused_and_said(owner, world):
    forged = world.pki.relying_party(key=world.pki.root.key, name_en="False Bank")
    shown_id = world.signer.ask(owner.phone.certificate(), relying_party=forged).hex()
    for path in ("/", f"/requests/{shown_id}", f"/approve?id={shown_id}"):
        page = await owner.get(path)
        assert "the registry did not sign" in page, path
        assert "False Bank" not in page, path
    await owner.post("/approve", ("shown", f"{shown_id}:{'00' * 32}"), pin=PIN)
    assert bytes.fromhex(shown_id) not in world.vault.results


async def test_a_request_altered_after_being_shown_is_not_signed(owner, world):
    """The signer swaps purpose and hash, and gets the person to look again in another tab."""
    request_id = world.signer.ask(owner.phone.certificate())
    await owner.get(f"/approve?id={request_id.hex()}")
    shown = owner.shown()
    other = world.signer.ask(owner.phone.certificate(), purpose="Дарування квартири")
    world.signer.requests[request_id] = replace(world.signer.requests[other], request_id=request_id)
    world.signer.documents[request_id] = world.signer.documents[other]
    world.vault.requests[request_id] = world.vault.requests[other]
    said = await owner.post("/approve", *shown, pin=PIN)
    assert request_id not in world.vault.results  # what was shown has another hash
    await owner.get(f"/requests/{request_id.hex()}")  # the other tab
    said = await owner.post("/approve", *shown, pin=PIN)
    assert "not looked at this request" in said
    assert request_id not in world.vault.results


async def test_nothing_is_signed_that_was_not_shown(owner, world):
    request_id = world.signer.ask(owner.phone.certificate())
    await owner.get("/")
    said = await owner.post("/approve", ("shown", f"{request_id.hex()}:{'00' * 32}"), pin=PIN)
    assert not world.vault.results.keys() & {request_id}
    assert "Sign" in said


async def test_words_of_others_are_no_markup(owner, world):
    purpose = '<script src="//evil.example/x.js"></script>'
    shown_id = world.signer.ask(owner.phone.certificate(), purpose=purpose).hex()
    for path in ("/", f"/requests/{shown_id}", f"/approve?id={shown_id}"):
        await owner.get(path)
        assert "<script src=" not in owner.page.text, path
        assert "&lt;script src=" in owner.page.text, path


async def test_the_pin_is_in_no_page_and_in_no_session(owner, world, application, caplog):
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    await owner.get(f"/approve?id={shown_id}")
    shown, pages = owner.shown(), []
    for pin in ("70707", PIN):
        await owner.post("/approve", *shown, pin=pin)
        pages.append(owner.page.text + str(owner.page.headers))
    layer = application.middleware_stack
    while not hasattr(layer, "_by_id"):
        layer = getattr(layer, "app", None) or layer._app
    states = [str({k: getattr(s, k) for k in s.__slots__}) for s in layer._by_id.values()]
    assert states
    for text in (*pages, *states, caplog.text):
        assert "70707" not in text
        assert PIN not in text


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/x"],
)
async def test_the_language_form_leads_nowhere_else(owner, path):
    await owner.get("/")
    answer = await owner.client.post(
        "/language",
        data={"token": owner.token, "language": "en", "path": path},
        headers={"Origin": ORIGIN},
        follow_redirects=False,
    )
    assert answer.headers["location"] == "/"


async def test_a_phone_outside_the_shelf_is_not_opened(owner, tmp_path):
    shutil.copytree(owner.phone.folder, tmp_path / "elsewhere")  # a phone like any other
    await owner.get("/phones")
    for phone_id in ("../elsewhere", str(tmp_path / "elsewhere"), "..", "a" * 15, "A" * 16):
        await owner.post("/phones", phone=phone_id)
        assert owner.page.status_code == 409
