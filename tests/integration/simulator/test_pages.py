"""The browser phone page by page: the device library and the real protocol behind them."""

from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.errors import DeniedError, RefreshNeededError
from tests.fakes.citizen import NOW
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_pki import PERSON
from tests.fakes.phone_world import CODE, PDF

NAME = "Example Bank"


async def test_enrolment_shows_who_i_am_and_the_suspend_code_once(browser, around, world):
    assert "Вигадана особа" in await browser.get("/enrol")
    assert CODE in await browser.post("/enrol/sandbox", person="zrazkova")
    assert PERSON["common_name"] in await browser.post("/enrol", code=CODE)
    assert "Придумайте PIN" in await browser.post("/enrol/you", answer="yes")
    said = await browser.post("/enrol/pin", pin=PIN, again=PIN)
    assert "Ваш код призупинення" in said
    assert len(world.vault.codes) == 1
    assert PERSON["common_name"] in await browser.get("/")
    assert [one.owner for one in around.shelf.list()] == [PERSON["common_name"]]


async def test_somebody_else_is_not_enrolled(browser, world):
    await browser.get("/enrol")
    await browser.post("/enrol", code=CODE)
    await browser.post("/enrol/you", answer="no")
    assert "Придумайте PIN" not in await browser.get("/enrol/pin")
    await browser.post("/enrol/pin", pin=PIN, again=PIN)
    assert not world.vault.keys


async def test_no_key_is_made_before_the_person_said_this_is_me(browser, world):
    await browser.get("/enrol")
    await browser.post("/enrol", code=CODE)
    await browser.post("/enrol/pin", pin=PIN, again=PIN)
    assert not world.vault.keys


async def test_pin_page_says_why_a_pin_is_refused(browser, world):
    await browser.get("/enrol")
    await browser.post("/enrol", code=CODE)
    await browser.post("/enrol/you", answer="yes")
    assert "йдуть підряд" in await browser.post("/enrol/pin", pin="12345", again="12345")
    assert "рівно п’ять цифр" in await browser.post("/enrol/pin", pin="1", again="1")
    assert "два різні PIN" in await browser.post("/enrol/pin", pin=PIN, again="48214")
    assert not world.vault.keys


async def test_wrong_activation_code_is_said_where_it_was_typed(browser):
    await browser.get("/enrol")
    said = await browser.post("/enrol", code="WRONG")
    assert browser.path == "/enrol"
    assert "this activation code is unknown" in said


async def test_an_enrolment_that_broke_off_is_finished(browser, around, world):
    def die(_):
        raise DeniedError("gone")

    world.vault.hooks["step6"] = die
    await browser.enrol()
    world.vault.hooks.clear()
    assert not around.shelf.list()[0].is_enrolled
    await browser.get("/")
    await browser.post("/enrol/you", answer="yes")
    await browser.post("/enrol/pin", pin=PIN)
    assert around.shelf.list()[0].is_enrolled


async def test_a_request_is_shown_read_and_signed(owner, world):
    shown_id = world.signer.ask(owner.phone.certificate(), pdfs=2).hex()
    assert NAME in await owner.get("/")
    page = await owner.get(f"/requests/{shown_id}")
    assert NAME in page
    assert "Банк «Приклад»" in page
    assert "Договір оренди" in page
    await owner.get(f"/requests/{shown_id}/documents/1")
    assert owner.page.content == world.signer.documents[bytes.fromhex(shown_id)][1]
    assert owner.page.headers["content-type"] == "application/pdf"
    assert "Attempts left: 9" in await owner.get(f"/approve?id={shown_id}")
    done = await owner.post("/approve", *owner.shown(), pin=PIN)
    assert owner.path == "/done"
    assert "signatures made: 2" in done
    assert bytes.fromhex(shown_id) in world.vault.results


async def test_one_pin_signs_many_requests(owner, world):
    ids = [world.signer.ask(owner.phone.certificate()).hex() for _ in range(3)]
    await owner.get("/approve?" + "&".join(f"id={one}" for one in ids))
    done = await owner.post("/approve", *owner.shown(), pin=PIN)
    assert done.count("signatures made: 1") == 3
    assert world.vault.keys[next(iter(world.vault.keys))].failed == 0


async def test_what_fails_after_a_signature_is_said_beside_it(owner, world):
    ids = [world.signer.ask(owner.phone.certificate()).hex() for _ in range(2)]
    await owner.get("/approve?" + "&".join(f"id={one}" for one in ids))
    world.vault.requests[bytes.fromhex(ids[1])] = b"x" * 32
    done = await owner.post("/approve", *owner.shown(), pin=PIN)
    assert done.count("signatures made: 1") == 1
    assert f"Not signed: {NAME}" in done


async def test_wrong_pin_comes_back_to_the_pad_with_what_is_left(owner, world):
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    await owner.get(f"/approve?id={shown_id}")
    shown = owner.shown()
    said = await owner.post("/approve", *shown, pin="48214")
    assert owner.path == f"/approve?id={shown_id}"
    assert "Attempts left before the key is blocked for good: 8" in said
    world.vault.hold_until_s = int(NOW.timestamp()) + 3 * 3600
    assert "in 3 h 0 min" in await owner.post("/approve", *shown, pin="48214")
    done = await owner.post("/approve", *shown, pin=PIN)
    assert "Wrong PINs since the last time: 2" in done


async def test_new_shares_are_made_where_the_vault_wants_them(owner, world):
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    (key,) = world.vault.keys.values()
    is_due = True

    def demand(_):
        nonlocal is_due
        if is_due:
            is_due = False
            raise RefreshNeededError("refresh first")

    world.vault.hooks["step4"] = demand
    await owner.get(f"/approve?id={shown_id}")
    assert "made anew" in await owner.post("/approve", *owner.shown(), pin=PIN)
    assert key.share.generation == 1  # of 0


async def test_decline_with_a_reason(owner, world):
    request_id = world.signer.ask(owner.phone.certificate())
    await owner.get(f"/requests/{request_id.hex()}")
    await owner.get(f"/requests/{request_id.hex()}/decline")
    said = await owner.post(f"/requests/{request_id.hex()}/decline", reason="не моє")
    assert "The request is declined" in said
    assert world.signer.declined == {request_id: "не моє"}


async def test_pin_change_then_the_old_pin_is_wrong(owner, world):
    await owner.get("/settings/pin")
    assert "two different" in await owner.post("/settings/pin", pin=PIN, new="90817", again="9")
    assert "old one" in await owner.post("/settings/pin", pin=PIN, new=PIN, again=PIN)
    said = await owner.post("/settings/pin", pin=PIN, new="90817", again="90817")
    assert "Your PIN is changed." in said
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    await owner.get(f"/approve?id={shown_id}")
    shown = owner.shown()
    assert "Wrong PIN" in await owner.post("/approve", *shown, pin=PIN)
    assert "signatures made: 1" in await owner.post("/approve", *shown, pin="90817")


async def test_suspend_ends_the_key_here_and_there(owner, world):
    await owner.get("/settings/suspend")
    assert "suspended for good" in await owner.post("/settings/suspend", pin=PIN)
    (key,) = world.vault.keys.values()
    assert key.status == "suspended"
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    await owner.get(f"/approve?id={shown_id}")
    assert "never signs again" in await owner.post("/approve", *owner.shown(), pin=PIN)


async def test_another_phone_is_chosen_from_the_list(owner, around):
    (one,) = around.shelf.list()
    owner.client.cookies.clear()
    assert PERSON["common_name"] in await owner.get("/")
    assert PERSON["common_name"] in await owner.post("/phones", phone=one.phone_id)
    assert owner.path == "/"


async def test_ukrainian_comes_first_and_english_is_whole(browser):
    assert 'lang="uk"' in await browser.get("/")
    assert browser.path == "/phones"
    page = await browser.post("/language", language="en", path="/phones")
    assert '<html lang="en">' in page
    assert "Phones of this computer" in page


async def test_every_page_says_what_it_is_for(owner):
    for path in ("/", "/phones", "/enrol", "/settings", "/settings/pin", "/nowhere"):
        assert "For development only" in await owner.get(path)


async def test_a_pdf_opens_and_anything_else_is_only_saved(owner, world):
    assert PDF.startswith(b"%PDF-")
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    await owner.get(f"/requests/{shown_id}")
    await owner.get(f"/requests/{shown_id}/documents/0")
    assert owner.page.headers["content-disposition"].startswith("inline; filename*=UTF-8''")
    await owner.get(f"/requests/{shown_id}/documents/7")
    assert owner.page.status_code == 404


async def test_a_suspend_code_that_is_missing_is_made_once(owner, world):
    world.vault.codes.clear()
    await owner.get("/settings")
    assert "Your suspend code" in await owner.post("/settings/code")
    assert len(world.vault.codes) == 1
    await owner.get("/settings")
    said = await owner.post("/settings/code")
    assert "another code already" in said
    assert "Your suspend code" not in said


async def test_renewal_makes_a_new_certificate_on_the_same_key(owner, world):
    before = owner.phone.certificate()
    world.signer.certificate = before.public_bytes(Encoding.DER)
    await owner.get("/settings/renew")
    assert "Wrong PIN" in await owner.post("/settings/renew", pin="48214")
    assert "Your certificate is new" in await owner.post("/settings/renew", pin=PIN)
    assert owner.phone.certificate() != before
    assert owner.phone.certificate().public_key() == before.public_key()


async def test_open_requests_are_told_to_an_open_page(owner, world):
    shown_id = world.signer.ask(owner.phone.certificate()).hex()
    told = await owner.get("/events")
    assert owner.page.headers["content-type"].startswith("text/event-stream")
    assert f'event: request\ndata: {{"id": "{shown_id}"}}' in told


async def test_events_are_for_an_enrolled_phone(browser):
    await browser.get("/events")
    assert browser.path == "/phones"
