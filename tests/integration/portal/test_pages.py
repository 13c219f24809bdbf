"""Pages over HTTP: headers, languages, errors for people and for programs, files."""

import httpx
import pytest

from portal_web.application import make_application
from signer_core.errors import NotFoundError, SignerError, UnavailableError
from tests.fakes.web_trust import Trust

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def trust():
    return Trust()


@pytest.fixture(params=[False, True], ids=["http", "https"])
def is_secure(request):
    return request.param


@pytest.fixture
async def web(trust, is_secure):
    async def serving():
        return True

    app = make_application(trust, serving, is_secure=is_secure)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://portal") as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/none", "/ca/x.cer", "/static/design/portal.css", "/health"]
)
async def test_every_answer_has_the_guarding_headers(web, trust, path, is_secure):
    for trust.fails in (None, ValueError("a defect")):
        headers = (await web.get(path)).headers
        policy = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Cache-Control" in headers
        assert ("Strict-Transport-Security" in headers) is is_secure


async def test_a_page_is_kept_by_nobody_and_a_file_for_good(web):
    page = await web.get("/", headers=BROWSER)
    assert page.headers["Cache-Control"] == "no-store"
    address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    style = await web.get(address)
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in style.headers["Cache-Control"]
    assert "immutable" not in (await web.get("/static/design/portal.css")).headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../errors.py", "design/OFL.txt", "design/%2e%2e/x", "", "x"])
async def test_only_files_that_are_meant_are_served(web, name):
    assert (await web.get(f"/static/{name}")).status_code == 404


async def test_a_language_that_was_chosen_stays(web, is_secure):
    assert 'lang="uk"' in (await web.get("/")).text
    english = await web.get("/?lang=en")
    assert '<html lang="en">' in english.text
    assert ("Secure" in english.headers["Set-Cookie"]) is is_secure
    again = await web.get("/", headers={"Cookie": "lang=en"})
    assert '<html lang="en">' in again.text
    assert "Set-Cookie" not in again.headers


async def test_what_is_in_the_address_is_never_part_of_the_page(web):
    for path in ("/?lang=<b>&x=<script>", "/<script>alert(1)</script>"):
        answer = await web.get(path, headers=BROWSER | {"Host": "evil.example"})
        assert "<script>" not in answer.text
        assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    ("fails", "status", "title"),
    [
        (NotFoundError("there is none"), 404, "Такої сторінки немає"),
        (UnavailableError("away"), 503, "Служба зараз недоступна"),
        (SignerError("a defect"), 500, "У нас щось зламалося"),
        (ValueError("secret"), 500, "У нас щось зламалося"),
    ],
)
async def test_a_browser_is_told_an_error_by_a_page(web, trust, fails, status, title):
    trust.fails = fails
    answer = await web.get("/ca/x.cer", headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{title}</h1>" in answer.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("PUT", "/", 405)])
async def test_what_no_route_answers_is_an_error_like_any(web, method, path, status):
    program = await web.request(method, path)
    assert (program.status_code, program.json()["status"]) == (status, status)
    assert program.headers["Content-Type"] == "application/problem+json"
    browser = await web.request(method, path, headers=BROWSER)
    assert (browser.status_code, browser.headers["Content-Type"][:9]) == (status, "text/html")
