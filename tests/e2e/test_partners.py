"""Partners through every process: an officer adds one, it asks a person, it is suspended."""

import html
import json
import re

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from grpc_api.clients.status import RequestStatus
from signer_core.errors import DeniedError

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]
WHY = ("--reason", "scheduled", "--yes")
RECORD = """
id = "made-up-shop"
name_uk = "Вигадана крамниця"
name_en = "Made-up Shop"
return_addresses = ["https://shop.example/return"]
scopes = ["documentSigning"]
"""


@pytest.fixture
def shop(desk, tmp_path):
    """A partner of this test's own, signed by the registry."""
    path = tmp_path / "shop.toml"
    path.write_text(RECORD)
    desk.json("partner", "resume", "made-up-shop", *WHY, code=None)
    return desk.json("partner", "add", str(path), *WHY)


def test_the_ceremonys_partners_are_there(desk):
    listed = {one["partner_id"]: one for one in desk.json("partner", "list")["partners"]}
    assert {"sandbox-bank", "sandbox-notary", "diia-signer"} <= set(listed)
    assert listed["sandbox-bank"]["state"] == "active"


def test_a_partner_is_signed_shown_and_signed_anew(desk, shop):
    assert shop["claims"]["name_en"] == "Made-up Shop"
    assert desk.json("partner", "show", "made-up-shop") == shop
    new = ("--id", "made-up-shop", "--name-uk", "Крамниця", "--name-en", "Shop")
    new += ("--scope", "documentSigning", "--return-address", "https://shop.example/return")
    changed = desk.json("partner", "add", *new, *WHY)
    assert changed["claims"]["issued_at"] > shop["claims"]["issued_at"]
    assert "Крамниця" in desk.run("partner", "list").stdout


def test_a_suspended_partners_requests_are_withdrawn_and_refused(
    desk, shop, portal, phone, contract
):
    open_request = portal.request([contract], by="made-up-shop")
    suspended = desk.json("partner", "suspend", "made-up-shop", "--reason", "court-order", "--yes")
    assert (suspended["state"], suspended["withdrawn"]) == ("suspended", 1)
    assert portal.status(open_request) is RequestStatus.WITHDRAWN
    with pytest.raises(DeniedError, match="suspended"):
        portal.request([contract], by="made-up-shop")
    refused = desk.json("partner", "add", "--id", "made-up-shop", *WHY, code=23)
    assert "name_uk" in refused["error"]
    resumed = desk.json("partner", "resume", "made-up-shop", *WHY)
    assert resumed["state"] == "active"
    assert portal.request([contract], by="made-up-shop")


def test_a_developer_gets_a_partner_from_the_page(desk, system, portal, phone, contract):
    ports = json.loads(system.home.ports.read_text())
    with httpx.Client(base_url=f"http://127.0.0.1:{ports['portal']}") as browser:
        form = browser.get("/developers").text
        token = re.search('name="form_token" value="([^"]+)"', form)[1]
        typed = {"name": "Моя крамниця", "return_addresses": "http://127.0.0.1:8000/back"}
        page = browser.post("/developers", data=typed | {"form_token": token})
        discovery = browser.get("/.well-known/openid-configuration").json()
        keys = KeySet.import_key_set(browser.get(discovery["jwks_uri"]).json())
    assert page.status_code == 200
    told = html.unescape(page.text)
    partner_id = re.search("OIDC_CLIENT_ID=(\\S+)", told)[1]
    example = re.search('id="example"><code>([^<]+)<', told)[1]
    claims = jwt.decode(example, keys, algorithms=["ES256"]).claims  # as the page says
    assert (claims["iss"], claims["aud"]) == (str(browser.base_url).rstrip("/"), partner_id)
    kept = desk.json("partner", "show", partner_id)
    assert (kept["sandbox"], kept["state"]) == (True, "active")
    assert partner_id not in str(desk.json("partner", "list"))
    signed = portal.request([contract], by=partner_id)
    shown = " ".join(phone.run("show", signed).stdout.split())
    assert "вигаданий партнер «Моя крамниця» (Sandbox: made-up partner “Моя крамниця”)" in shown
    phone.sign(signed)
    assert portal.request([contract], by=partner_id)
    suspended = desk.json("partner", "suspend", partner_id, *WHY)
    assert suspended["withdrawn"] == 1


def test_an_auditor_shows_partners_and_changes_none(desk, shop, auditor):
    assert auditor.json("partner", "show", "made-up-shop")["partner_id"] == "made-up-shop"
    for words in (
        ("suspend", "made-up-shop", *WHY),
        ("secret", "made-up-shop", *WHY),
        ("add", "--id", "x", *WHY),
    ):
        assert "auditor only reads" in auditor.json("partner", *words, code=21)["error"]


def test_a_secret_is_another_each_time(desk, shop):
    made = [desk.json("partner", "secret", "made-up-shop", *WHY)["secret"] for _ in range(2)]
    assert made[0] != made[1]
    assert {len(one) for one in made} == {43}


@pytest.mark.parametrize("content", ["", "id = ", "{", "[1]", json.dumps({"id": 1})])
def test_a_file_that_is_no_record_is_one_line(desk, tmp_path, content):
    path = tmp_path / "record"
    path.write_text(content)
    done = desk.run("partner", "add", str(path), *WHY)
    assert done.returncode in (23, 40)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_who_is_not_there_is_not_found(desk):
    desk.json("partner", "show", "nobody", code=20)
    desk.json("partner", "suspend", "nobody", *WHY, code=20)


def test_without_a_yes_nothing_is_signed(desk):
    done = desk.run("partner", "add", "--id", "nothing", "--reason", "scheduled", "--json")
    assert done.returncode == 32
