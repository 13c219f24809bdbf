"""docs/flows/login.md with an ordinary OpenID client: Authlib's, over HTTP, and our real phone."""

import asyncio
import html
import json
import re
import secrets
import shutil
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet

from deploy.demo.commands import DemoPhone
from deploy.home import REPOSITORY
from deploy.system import System
from mobile_share.claiming import find_way_back
from mobile_share.wire import signer_client
from tests.e2e.test_sign_in import approve, open_link
from tests.fakes.officer_desk import Desk
from tests.fakes.qr_reading import read_svg

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

BACK = "http://127.0.0.1:8080/return"
SCOPE = "openid profile person_code birthdate"
WHY = ("--reason", "scheduled", "--yes")
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
ANDROID = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36"}


@pytest.fixture
def issuer(system: System) -> str:
    return f"http://127.0.0.1:{system.ports['portal']}"


@pytest.fixture(scope="module")
def secret(desk: Desk) -> str:
    found: str = desk.json("partner", "secret", "sandbox-bank", *WHY)["secret"]
    return found


@pytest.fixture
async def browser(issuer: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=issuer, headers=FIREFOX, timeout=30) as client:
        yield client


def client_of(issuer: str, **more: object) -> AsyncOAuth2Client:
    settings = {"client_id": "sandbox-bank", "redirect_uri": BACK, "scope": SCOPE}
    settings |= {"code_challenge_method": "S256", "timeout": 30}
    return AsyncOAuth2Client(**settings | more)


async def sign_in(browser: httpx.AsyncClient, phone: DemoPhone, url: str) -> str:
    """Go the browser's way from the partner's link; return where it comes back to."""
    waiting = await browser.get(url)
    assert waiting.status_code == 303, waiting.text
    page = await browser.get(waiting.headers["location"])
    assert page.status_code == 200, page.text
    assert "Вигаданий банк" in html.unescape(page.text)
    await scan(browser, phone, page)
    done = await browser.get(page.url)  # as the page's script does once it is approved
    assert done.status_code == 303, done.text
    back = await browser.get(done.headers["location"])
    assert back.status_code == 303, back.text
    return back.headers["location"]


async def scan(browser: httpx.AsyncClient, phone: DemoPhone, page: httpx.Response) -> None:
    """Open what the page shows, read it and sign it."""
    opened, request = await open_link(phone, await link_on(browser, page))
    assert request.statement.startswith("diia-signer login v1\n")
    assert "РНОКПП" in request.statement
    assert "Linux" in request.initiator
    assert (await approve(opened, request)).is_confirmed


async def link_on(browser: httpx.AsyncClient, page: httpx.Response) -> str:
    """Return the link of the page's QR code: as its frame draws it, for browsers without script."""
    frame = await browser.get(f"{page.url.path}/frame")
    return read_svg(frame.text)


async def exchange(client: AsyncOAuth2Client, issuer: str, back: str, verifier: str) -> dict:
    """Let the client change the code into tokens; return the token response."""
    token: dict = await client.fetch_token(
        f"{issuer}/oauth/token", authorization_response=back, code_verifier=verifier
    )
    return token


async def verified(browser: httpx.AsyncClient, id_token: str, **expected: object) -> dict:
    """Check an ID token as a client does."""
    keys = KeySet.import_key_set((await browser.get("/oauth/jwks")).json())
    claims = jwt.decode(id_token, keys, algorithms=["ES256"]).claims
    options = {name: {"essential": True, "value": value} for name, value in expected.items()}
    jwt.JWTClaimsRegistry(**options, exp={"essential": True}).validate(claims)
    return claims


@pytest.fixture
async def login(
    system: System, browser: httpx.AsyncClient, phone: DemoPhone, issuer: str, secret: str
) -> tuple[dict, dict]:
    """A whole login with a secret: the token response and the claims."""
    client, verifier = client_of(issuer, client_secret=secret), secrets.token_urlsafe(32)
    url, state = client.create_authorization_url(
        f"{issuer}/oauth/authorize", code_verifier=verifier, nonce="n-1"
    )
    back = await sign_in(browser, phone, url)
    query = dict(httpx.QueryParams(urlsplit(back).query))
    assert (query["state"], query["iss"]) == (state, issuer)
    token = await exchange(client, issuer, back, verifier)
    await client.aclose()
    claims = await verified(browser, token["id_token"], iss=issuer, aud="sandbox-bank", nonce="n-1")
    return token, claims


async def test_a_person_signs_in_and_the_partner_knows_what_was_agreed(
    login: tuple[dict, dict], browser: httpx.AsyncClient
) -> None:
    token, claims = login
    assert (token["scope"], token["expires_in"]) == (SCOPE, 900)
    assert re.fullmatch(r"[0-9]{10}", claims["person_code"])
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", claims["birthdate"])
    assert claims["name#uk-Latn"].isascii()
    assert claims["amr"] == ["pop", "pin", "face", "mfa"]
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    told = (await browser.get("/oauth/userinfo", headers=bearer)).json()
    assert told["sub"] == claims["sub"]
    assert told["name"] == claims["name"]


async def test_the_commands_of_the_page_check_the_login_and_nothing_else(
    login: tuple[dict, dict], system: System, issuer: str, tmp_path: Path
) -> None:
    """`docs/verify-login.md`, as written."""
    page = (REPOSITORY / "docs/verify-login.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    (tmp_path / "id_token.txt").write_text(login[0]["id_token"])
    shutil.copy(system.home.public / "root.pem", tmp_path)
    said = _bash(script, tmp_path)
    assert said.returncode == 0, said.stderr
    assert "CAdES Verification successful" in said.stderr
    assert "signer.pem: good" in said.stdout
    assert f"issuer: {issuer}\n" in said.stdout
    assert login[1]["person_code"] in said.stdout
    altered = script.replace("END\n\n", "END\nsed -i s/sandbox-bank/sandbox-band/ statement.txt\n")
    assert altered != script
    assert _bash(altered, tmp_path).returncode != 0


def _bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["bash", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


async def test_the_provider_says_of_itself_what_it_does(browser: httpx.AsyncClient) -> None:
    says = (await browser.get("/.well-known/openid-configuration")).json()
    assert says == (await browser.get("/.well-known/oauth-authorization-server")).json()
    for name, address in says.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            answer = await browser.get(urlsplit(address).path)
            assert answer.status_code < 500, name
            assert answer.status_code != 404, name


@pytest.fixture(scope="module")
def key(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> ECKey:
    """The key of a partner of its own, `key-shop`."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    public = {name: value for name, value in key.as_dict(private=False).items() if name != "use"}
    record = tmp_path_factory.mktemp("shop") / "shop.json"
    words = {
        "id": "key-shop",
        "name_uk": "Вигаданий банк з ключем",
        "name_en": "Made-up Bank with a Key",
        "return_addresses": [BACK],
        "scopes": ["auth", "profile", "person_code"],
        "keys": [public],
    }
    record.write_text(json.dumps(words))
    desk.json("partner", "add", str(record), *WHY)
    return key


async def test_a_client_with_a_key_pushes_its_request(
    browser: httpx.AsyncClient, phone: DemoPhone, issuer: str, key: ECKey
) -> None:
    client = client_of(
        issuer,
        client_id="key-shop",
        client_secret=key,
        token_endpoint_auth_method="private_key_jwt",
        scope="openid person_code",
    )
    client.register_client_auth_method(PrivateKeyJWT(issuer, alg="ES256"))
    verifier = secrets.token_urlsafe(32)
    url, _ = client.create_authorization_url(
        f"{issuer}/oauth/authorize", code_verifier=verifier, nonce="n-2"
    )
    pushed = await client.request(
        "POST",
        f"{issuer}/oauth/par",
        data=dict(httpx.QueryParams(urlsplit(url).query)),
        auth=client.client_auth("private_key_jwt"),
        withhold_token=True,
    )
    assert pushed.status_code == 201, pushed.text
    query = httpx.QueryParams(client_id="key-shop", request_uri=pushed.json()["request_uri"])
    back = await sign_in(browser, phone, f"{issuer}/oauth/authorize?{query}")
    token = await exchange(client, issuer, back, verifier)
    await client.aclose()
    claims = await verified(browser, token["id_token"], iss=issuer, aud="key-shop", nonce="n-2")
    assert "name" not in claims


async def test_openid_client_for_node_signs_in_with_non_repudiation_checks(
    browser: httpx.AsyncClient, phone: DemoPhone, issuer: str, key: ECKey
) -> None:
    given = {"issuer": issuer, "client_id": "key-shop", "redirect_uri": BACK}
    given |= {"scope": "openid profile person_code", "key": key.as_dict(private=True)}
    script = REPOSITORY / "tests/e2e/node/login.mjs"
    node = await asyncio.create_subprocess_exec(
        "node", str(script), json.dumps(given), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert node.stdout is not None
    url = (await node.stdout.readline()).decode().strip()
    if not url:
        pytest.fail((await node.communicate())[1].decode())
    back = await sign_in(browser, phone, url)
    said, wrong = await node.communicate(f"{back}\n".encode())
    assert node.returncode == 0, wrong.decode()
    known = json.loads(said)
    assert known["claims"]["person_code"] == known["told"]["person_code"]
    assert known["told"]["name"] == known["claims"]["name"]
    logout = await browser.get(known["logout"])
    assert (logout.status_code, logout.headers["location"]) == (303, BACK)


async def test_on_the_phone_itself_a_link_leads_there_and_back(
    system: System, phone: DemoPhone, issuer: str, secret: str
) -> None:
    client, verifier = client_of(issuer, client_secret=secret), secrets.token_urlsafe(32)
    url, _ = client.create_authorization_url(
        f"{issuer}/oauth/authorize", code_verifier=verifier, nonce="n-3"
    )
    async with httpx.AsyncClient(base_url=issuer, headers=ANDROID, timeout=30) as browser:
        page = await browser.get(url, follow_redirects=True)
        found = re.search(r'href="([^"]*/o/[^"]*d=[^"]*)"', page.text)
        assert found is not None, page.text
        opened, request = await open_link(phone, html.unescape(found[1]))
        assert (await approve(opened, request)).is_confirmed
        async with signer_client(opened) as signer:
            way_back = await find_way_back(opened, signer, request)
        flow = page.url.path
        early = await browser.get(f"/login/continue?flow={flow.rpartition('/')[2]}")
        assert early.status_code == 403  # without the phone's way back
        returned = await browser.get(way_back)
        assert returned.status_code == 303, returned.text
        back = await browser.get(returned.headers["location"])
        token = await exchange(client, issuer, back.headers["location"], verifier)
        assert token["id_token"]
    await client.aclose()


async def test_an_officer_lets_the_next_key_sign_and_logins_go_on(
    browser: httpx.AsyncClient, phone: DemoPhone, issuer: str, secret: str, desk: Desk
) -> None:
    known = desk.json("login-key", "status")["keys"]
    (following,) = (kid for kid, role in known.items() if role == "next")
    refused = desk.json("login-key", "rotate", *WHY, code=23)  # published for too short a time
    assert following in refused["error"]
    now = desk.json("login-key", "rotate", "--drop", "--reason", "key-compromise", "--yes")["keys"]
    assert now[following] == "current"
    assert "previous" not in now.values()
    await asyncio.sleep(5)  # until the vault's own copy of the row is over
    client, verifier = client_of(issuer, client_secret=secret), secrets.token_urlsafe(32)
    url, _ = client.create_authorization_url(
        f"{issuer}/oauth/authorize", code_verifier=verifier, nonce="n-4"
    )
    token = await exchange(client, issuer, await sign_in(browser, phone, url), verifier)
    await client.aclose()
    assert jws.extract_compact(token["id_token"].encode()).headers()["kid"] == following
    await verified(browser, token["id_token"], iss=issuer, nonce="n-4")
